// Owns what is known of a label before anything is sent: whose it is, where it is expected, whether its board waits.
import type { Device, Registration, WaitingBoard } from '$lib/api/types';
import type { Label } from '$lib/label';

type Waits = Pick<WaitingBoard, 'id' | 'serial' | 'reason'>;

export interface Sources {
  devices: readonly Pick<Device, 'name' | 'serial' | 'location'>[];
  registrations: readonly Pick<Registration, 'name' | 'serial' | 'location'>[];
  waiting: readonly Waits[];
}

export interface Known extends Label {
  /** Where it stands, as far as anybody has said; empty otherwise. */
  location: string;
  is: 'known' | 'waits' | 'expected' | 'unknown';
  /** Whether the server has a registration or a device for it. */
  listed: boolean;
  /** Whether the server knows which board it is. A name that is only reserved has none yet. */
  bound: boolean;
}

/** The board of this serial that waits because nobody expected it. One whose key is in doubt is not let in by a label. */
export function boardOf<T extends Waits>(waiting: readonly T[], serial: string | null): T | undefined {
  return waiting.find((each) => each.serial === serial && each.reason === 'not_expected');
}

/** What stands on the label comes first; the server's lists fill in the rest. */
export function known(label: Label, { devices, registrations, waiting }: Sources): Known {
  const fits = (each: { name: string; serial?: string | null }): boolean =>
    label.name !== null ? each.name === label.name : each.serial === label.serial;
  const device = devices.find(fits);
  const registration = registrations.find(fits);
  const serial = label.serial ?? device?.serial ?? registration?.serial ?? null;
  const name = label.name ?? device?.name ?? registration?.name ?? null;
  const location = device?.location || registration?.location || '';
  const waits = boardOf(waiting, serial) !== undefined;
  const is = waits ? 'waits' : device ? 'known' : registration ? 'expected' : 'unknown';
  const bound = device !== undefined || Boolean(registration?.serial);
  return { name, serial, location, is, listed: Boolean(device ?? registration), bound };
}

/**
 * What somebody without the permission to let boards in can't do with this label: let in a board that stands nowhere, or
 * say which board a reserved name is for (where it stands can be said all the same). The server would refuse it after all
 * has been filled in, so it is said before.
 */
export function supervisors({ is, listed, bound }: Known, mayApprove: boolean): 'all' | 'board' | null {
  if (mayApprove) return null;
  if (!listed) return is === 'waits' ? 'all' : null;
  return bound ? null : 'board';
}
