// Owns how a browser gets its next access token when one has expired: once, however many requests and tabs notice it at the
// same time, so that no refresh token is shown twice. Knows no page and no state.
import { noteServerDate } from '$lib/format/server-clock';
import { Problem, problemOf } from './problem';

const ADDRESS = '/api/v1/session/refresh';
const LOCK = 'tirta.refresh';
/** When a tab of this browser last got new tokens. */
const MARK = 'tirta.refreshed';
const TIMEOUT_MS = 15_000;
/** An answer that was lost is given again by the server, if it is asked soon. */
const AGAIN_AFTER_MS = 1_000;

let mine = 0;
let running: Promise<boolean> | null = null;

/**
 * Whether a request that began at `since` and was refused can be repeated. False if the session has ended.
 * Rejects with a problem when nobody can tell, because the server can't be reached.
 */
export function refreshed(since: number): Promise<boolean> {
  running ??= alone(async () => doneSince(since) || (await refresh())).finally(() => (running = null));
  return running;
}

/** One tab at a time, where the browser can do that. Without it the server bears two at once. */
async function alone(work: () => Promise<boolean>): Promise<boolean> {
  return 'locks' in navigator ? await navigator.locks.request(LOCK, work) : await work();
}

async function refresh(): Promise<boolean> {
  const response = await ask().catch(async () => {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    return await ask();
  });
  noteServerDate(response.headers.get('date'));
  if (response.status === 401) return false;
  if (!response.ok) throw await problemOf(response);
  noteTime();
  return true;
}

async function ask(): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(ADDRESS, { method: 'POST', cache: 'no-store', signal });
  } catch (cause) {
    throw new Problem(0, 'unreachable', String(cause));
  }
}

/** A mark far in the future is of a clock that was ahead: it says nothing, and must not keep this browser from asking. */
function doneSince(since: number): boolean {
  const at = lastTime();
  return at >= since && at <= Date.now() + TIMEOUT_MS;
}

function lastTime(): number {
  try {
    return Math.max(mine, Number(localStorage.getItem(MARK)) || 0);
  } catch {
    return mine; // storage is forbidden: each tab knows of itself only
  }
}

function noteTime(): void {
  mine = Date.now();
  try {
    localStorage.setItem(MARK, String(mine));
  } catch {
    // Forbidden or full: another tab will ask once more.
  }
}
