// A component of Next's: prerendered in Node, where it only imports the package, and run in a page.
'use client';

import { useEffect, useState } from 'react';
import { reportCheck } from '../report.js';

export default function Page() {
  const [result, setResult] = useState('runs ...');
  useEffect(() => {
    reportCheck().then(setResult);
  }, []);
  return <p>{result}</p>;
}
