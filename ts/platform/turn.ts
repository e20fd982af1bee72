// The event loop: how long work gives way to what waits.

/** Resolves in a later turn: messages and timers that are due, and a page's painting, come before. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Timers wait up to 4 ms in browsers, so they come last.
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else if (typeof MessageChannel === 'function') {
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = () => {
        port1.close();
        resolve();
      };
      port1.postMessage(null);
    } else setTimeout(resolve);
  });
}
