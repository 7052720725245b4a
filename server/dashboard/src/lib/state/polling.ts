// Owns asking again and again while somebody looks: not behind another window, and at once when they come back.

/** Asks at once and then each so often; answers how to end it. A question that is still open is not asked again. */
export function polling(ask: () => Promise<void>, everyMs: number): () => void {
  let asking = false;
  const turn = async (): Promise<void> => {
    if (asking || document.visibilityState !== 'visible') return;
    asking = true;
    try {
      await ask();
    } finally {
      asking = false;
    }
  };
  const looked = (): void => void turn();
  void turn();
  const timer = setInterval(looked, everyMs);
  document.addEventListener('visibilitychange', looked);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', looked);
  };
}
