// Owns the locations that are known: of the registry, and of the devices. They are offered, never demanded.
import { api } from '$lib/api/client';
import type { Registration } from '$lib/api/types';
import { distinct } from './distinct';
import { fleet } from './fleet.svelte';
import { session } from './session.svelte';

class Places {
  #registrations = $state.raw<readonly Registration[] | null>(null);

  readonly known: string[] = $derived(
    distinct([
      ...(this.#registrations ?? []).map(({ location }) => location),
      ...[...fleet.entries.values()].map(({ device }) => device.location),
    ]),
  );

  /** Null until they have been fetched. */
  get registrations(): readonly Registration[] | null {
    return this.#registrations;
  }

  /** A list that fails to come takes nothing away: a location can be typed. */
  async load(): Promise<void> {
    try {
      this.#registrations = await api.registrations();
    } catch (cause) {
      session.ended(cause);
    }
  }
}

export const places = new Places();
