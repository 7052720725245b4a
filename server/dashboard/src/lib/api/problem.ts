// Owns what can go wrong between the dashboard and the server, as one type that pages can show.

/** A request that failed: the server said why, or could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly field: string | null = null,
  ) {
    super(`${status} ${code}: ${detail}`);
    this.name = 'Problem';
  }

  get unreachable(): boolean {
    return this.status === 0;
  }

  get signedOut(): boolean {
    return this.status === 401;
  }

  /** There is no access token, or it has expired: another may be had. */
  get expired(): boolean {
    return this.status === 401 && this.code === 'no_session';
  }

  /** The password is right, and the account wants a code besides. */
  get codeNeeded(): boolean {
    return this.status === 401 && this.code === 'code_needed';
  }

  /** Nothing is answered before the person has chosen a password. */
  get mustChange(): boolean {
    return this.status === 403 && this.code === 'change_password';
  }

  /** The role does not allow it. */
  get forbidden(): boolean {
    return this.status === 403 && this.code === 'forbidden';
  }
}

/** Reads a problem from an answer, whatever a proxy in between made of it. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const field = (name: string): string | null => {
    const value = body && typeof body === 'object' ? (body as Record<string, unknown>)[name] : null;
    return typeof value === 'string' ? value : null;
  };
  const detail = field('detail') ?? field('title') ?? response.statusText;
  return new Problem(response.status, field('code') ?? 'unknown', detail, field('field'));
}
