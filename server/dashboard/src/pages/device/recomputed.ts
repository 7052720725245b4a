// Owns the question whether a chart shows values that were computed again.
import type { Revision } from '$lib/api/types';

export function recomputedWithin(
  revisions: readonly Revision[],
  metric: string,
  view: { from: number; to: number },
): boolean {
  return revisions.some(
    (revision) =>
      revision.metric === metric &&
      revision.changed > 0 &&
      revision.from < view.to &&
      revision.to > view.from,
  );
}
