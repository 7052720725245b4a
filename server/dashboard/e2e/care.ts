// Owns what is measured of a page in the browser: what moves, what is too small to touch, where the keyboard comes and whether
// that is seen. Knows no page.
import type { Page } from '@playwright/test';

/** A thumb, in CSS pixels. */
const THUMB = 44;
const TOUCHED = 'a[href], button, input:not([type="hidden"]), select, textarea, summary';

/** Links in the middle of a sentence are as high as its line, as WCAG 2.5.8 allows: more would lie over the lines beside it. */
export const tooSmall = (page: Page): Promise<string[]> =>
  page.evaluate(
    ({ touched, thumb }) => {
      const inSentence = (node: Element): boolean =>
        getComputedStyle(node).display === 'inline' &&
        node.parentElement?.textContent?.trim() !== node.textContent?.trim();
      const labelsOf = (node: HTMLElement): HTMLElement[] =>
        node instanceof HTMLInputElement ? [...(node.labels ?? [])] : [];
      /** What takes the touch may be larger than what is drawn: a label, or a layer of its own. */
      const takes = (node: HTMLElement, x: number, y: number): boolean => {
        const hit = document.elementFromPoint(x, y);
        if (!hit) return false;
        return node.contains(hit) || labelsOf(node).some((label) => label.contains(hit));
      };
      /** How far it reaches from its middle, there and back again. */
      const reach = (node: HTMLElement, dx: number, dy: number): number => {
        const { left, top, width, height } = node.getBoundingClientRect();
        const [x, y] = [left + width / 2, top + height / 2];
        let reached = 1;
        for (const way of [1, -1])
          for (let far = 1; far < thumb && takes(node, x + way * far * dx, y + way * far * dy); far += 1)
            reached += 1;
        return reached;
      };
      const small: string[] = [];
      for (const node of document.querySelectorAll<HTMLElement>(touched)) {
        if (node.matches(':disabled, .sr-only, .skip, [tabindex="-1"]') || node.closest('.sr-only, [inert]'))
          continue;
        if (!node.checkVisibility({ visibilityProperty: true }) || inSentence(node)) continue;
        node.scrollIntoView({ block: 'center', inline: 'center' });
        // The middle of a pixel more or less is nobody's thumb.
        const [wide, high] = [reach(node, 1, 0), reach(node, 0, 1)];
        if (Math.min(wide, high) < thumb - 1) small.push(`${wide}x${high} ${node.outerHTML.slice(0, 160)}`);
      }
      scrollTo(0, 0);
      return small;
    },
    { touched: TOUCHED, thumb: THUMB },
  );

/** What still moves, or would, for whoever wants no motion. */
export const moving = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ effect, playState }) => {
        const { duration, iterations } = effect?.getComputedTiming() ?? {};
        return playState === 'running' && (Number(duration) > 20 || iterations === Number.POSITIVE_INFINITY);
      })
      .map((animation) => ('animationName' in animation ? String(animation.animationName) : animation.id)),
  );

/** How many pixels the page is wider than the window. */
export const beyond = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

export interface Walk {
  /** Controls at which the tab key never came by. */
  missed: string[];
  /** Those at which it is not seen to be. */
  unseen: string[];
}

/** Goes through a fresh page by the tab key until it is through. */
export async function walk(page: Page): Promise<Walk> {
  const wanted = await page.evaluate((touched) => {
    const nodes = [...document.querySelectorAll<HTMLElement>(touched)].filter(
      (node) =>
        node.tabIndex >= 0 &&
        !node.matches(':disabled') &&
        !node.closest('[inert]') &&
        node.checkVisibility({ visibilityProperty: true }) &&
        // Of radio buttons the chosen one is come to; arrow keys lead to the others.
        !(node instanceof HTMLInputElement && node.type === 'radio' && !node.checked),
    );
    nodes.forEach((node) => node.setAttribute('data-wanted', ''));
    return nodes.length;
  }, TOUCHED);
  const unseen = new Set<string>();
  let last = '';
  for (let pressed = 0; pressed < 2 * wanted + 20; pressed += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (!(node instanceof HTMLElement) || node === document.body) return null;
      const drawn = ({ outlineStyle, outlineWidth }: CSSStyleDeclaration): boolean =>
        outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0;
      const styles = [getComputedStyle(node), getComputedStyle(node, '::after')];
      const label = node.closest('label');
      if (label) styles.push(getComputedStyle(label));
      const been = node.hasAttribute('data-been');
      node.setAttribute('data-been', '');
      node.removeAttribute('data-wanted');
      // The button within a field of a date has a ring of its own, which no style tells.
      const seen = styles.some(drawn) || node.matches('[type^="date"], [type="time"]');
      return { been, seen, html: node.outerHTML.slice(0, 160) };
    });
    // A field of a date has several stops within itself.
    if (!at || (at.been && at.html !== last)) break;
    if (!at.seen) unseen.add(at.html);
    last = at.html;
  }
  const missed = await page
    .locator('[data-wanted]')
    .evaluateAll((nodes) => nodes.map(({ outerHTML }) => outerHTML.slice(0, 160)));
  return { missed, unseen: [...unseen] };
}
