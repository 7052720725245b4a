// Owns one request: its address, time-out, body, problems, and that an expired access token does not stop it. Its types come from the server's document, so that
// an operation, parameter or field that the server no longer has does not compile.
import { noteServerDate } from '$lib/format/server-clock';
import { Problem, problemOf } from './problem';
import { refreshed } from './refresh';
import type { paths } from './schema';

const TIMEOUT_MS = 15_000;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Json<T> = T extends { content: { 'application/json': infer B } } ? B : never;
/** What an operation answers when it succeeds; nothing for 204. */
type Answer<O> = O extends { responses: infer R }
  ? R extends { 200: infer T }
    ? Json<T>
    : R extends { 201: infer T }
      ? Json<T>
      : R extends { 202: infer T }
        ? Json<T>
        : undefined
  : never;

type Part<K extends string, T> = [T] extends [never] ? unknown : { [key in K]: T };
/** What an operation must be given: parts of the path, of the query, a body. */
type Input<O> = O extends { parameters: infer P }
  ? (P extends { path: infer T } ? Part<'path', T> : unknown) &
      (P extends { query?: infer T } ? Part<'query', NonNullable<T>> : unknown) &
      (O extends { requestBody: { content: { 'application/json': infer B } } } ? Part<'body', B> : unknown) &
      (O extends { requestBody: { content: { 'text/csv': string } } } ? Part<'csv', Blob> : unknown)
  : never;

interface Loose {
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean>;
  body?: unknown;
  csv?: Blob;
}

/** The paths that have an operation of this method. */
type With<M extends Method> = { [P in keyof paths]: paths[P][M] extends object ? P : never }[keyof paths];

export async function call<M extends Method, P extends With<M>>(
  method: M,
  path: P,
  input: Input<paths[P][M]>,
): Promise<Answer<paths[P][M]>> {
  const { path: parts = {}, query, body, csv } = input as Loose;
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
  // What the server lets a browser keep is asked for anew each time, and not sent again if it is the same.
  const init: RequestInit = { method: method.toUpperCase(), cache: 'no-cache' };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  } else if (csv) {
    init.headers = { 'content-type': 'text/csv' };
    init.body = csv;
  }
  const whole = address + search(query);
  const began = Date.now();
  let response = await ask(whole, init);
  if (!response.ok) {
    const problem = await problemOf(response);
    // It was refused before anything was done, so the same can be asked again.
    if (!problem.expired || !(await refreshed(began))) throw problem;
    response = await ask(whole, init);
    if (!response.ok) throw await problemOf(response);
  }
  return (response.status === 204 ? undefined : await response.json()) as Answer<paths[P][M]>;
}

async function ask(address: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    noteServerDate(response.headers.get('date'));
    return response;
  } catch (cause) {
    throw new Problem(0, 'unreachable', String(cause));
  }
}

function search(query: Loose['query']): string {
  const text = new URLSearchParams(
    Object.entries(query ?? {}).map(([name, value]) => [name, String(value)]),
  ).toString();
  return text ? `?${text}` : '';
}
