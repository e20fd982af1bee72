import { reportCheck } from './report.js';

document.body.textContent = await reportCheck();
