// Owns the finger on a chart: sideways it moves the cursor, which stays when the finger
// lifts so that the value can be read; up and down it still scrolls the page.
import type uPlot from 'uplot';

export function followTouch(plot: uPlot): void {
  const { over } = plot;
  over.style.touchAction = 'pan-y';
  const move = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse') return; // uPlot follows a mouse by itself
    const at = over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - at.left, top: event.clientY - at.top });
  };
  const leave = (event: PointerEvent): void => {
    if (event.pointerType !== 'mouse') plot.setCursor({ left: -10, top: -10 });
  };
  over.addEventListener('pointerdown', move);
  over.addEventListener('pointermove', move);
  over.addEventListener('pointercancel', leave);
}
