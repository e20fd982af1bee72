// The longest task that the page's main thread had, in milliseconds: what a reader would feel.

export const mainThread = {
  longest: 0,
  /** Whether the browser tells of long tasks. Else turns of the event loop are measured. */
  isTold: PerformanceObserver.supportedEntryTypes.includes('longtask'),
};

const heard = (milliseconds: number): void => {
  mainThread.longest = Math.max(mainThread.longest, milliseconds);
};

if (mainThread.isTold) {
  // From 50 ms on: below there are none to tell of.
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => heard(duration))).observe({ type: 'longtask', buffered: true });
} else {
  const EVERY = 20;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (!document.hidden) heard(now - last - EVERY);
    last = now;
  }, EVERY);
}
