// Owns the state of the threshold form: where it holds, what is in force there, the draft and what is wrong with it.
import { alertsApi } from '$lib/api/alerts';
import type { Preset, Scope, Target, Threshold, ThresholdInForce } from '$lib/api/alert-types';
import { Problem } from '$lib/api/problem';
import { i18n } from '$lib/i18n/index.svelte';
import { fleet } from '$lib/state/fleet.svelte';
import { Loaded } from '$lib/state/loaded.svelte';
import { byName } from '$lib/state/order';
import { exactly, holdingFor } from '$lib/threshold/force';
import {
  draftOf,
  readDraft,
  sameThreshold,
  type Draft,
  type Field,
  type Problems,
} from '$lib/threshold/form';
import { undoOf, type Change } from './undo';

/** The server takes no more at once. */
export const MOST_TARGETS = 1000;

export class Edit {
  metric = $state('ph');
  scope = $state<Scope>('fleet');
  location = $state('');
  devices = $state.raw<readonly string[]>([]);
  draft = $state<Draft>(draftOf(null, i18n.locale));
  preset = $state.raw<Preset | null>(null);
  /** What the server objects to, by field. */
  refused = $state.raw<Problem | null>(null);
  readonly inForce = new Loaded<ThresholdInForce[]>(alertsApi.thresholds);
  readonly presets = new Loaded<Preset[]>(alertsApi.presets);

  readonly targets: readonly Target[] = $derived.by(() => {
    if (this.scope === 'fleet') return [{ scope: 'fleet', target: '' }];
    const names = this.scope === 'location' ? [this.location].filter(Boolean) : this.devices;
    return names.map((target) => ({ scope: this.scope, target }));
  });

  /** The devices that it holds for, whatever narrower ones they have. */
  readonly reached: readonly string[] = $derived.by(() => {
    if (this.scope === 'device') return this.devices;
    const all = [...fleet.entries.values()].filter(
      ({ device }) =>
        device.state !== 'revoked' && (this.scope === 'fleet' || device.location?.trim() === this.location),
    );
    return all.map(({ device }) => device.name).sort(byName);
  });

  readonly read = $derived(readDraft(this.draft, i18n.locale));

  readonly problems: Problems = $derived.by(() => {
    const field = this.refused?.field?.replace(/^threshold\./, '');
    return field ? { ...this.read.problems, [field as Field]: 'order' } : this.read.problems;
  });

  /** What holds at the first target now, its own or a wider one. */
  readonly holding: ThresholdInForce | null = $derived.by(() => {
    const [first] = this.targets;
    if (!first || !this.inForce.value) return null;
    const location =
      first.scope === 'device' ? (fleet.entries.get(first.target)?.device.location ?? null) : null;
    return holdingFor(this.inForce.value, first, this.metric, location);
  });

  /** The targets that have one of their own, which is replaced or removed. */
  readonly own: readonly Target[] = $derived(
    this.targets.filter((target) => exactly(this.inForce.value ?? [], target, this.metric) !== null),
  );

  /** The devices that something narrower holds for, and so not this. */
  readonly narrower: readonly string[] = $derived.by(() => {
    const scopes = { fleet: ['location', 'device'], location: ['device'], device: [] as string[] }[
      this.scope
    ];
    return this.reached.filter((name) => {
      const location = fleet.entries.get(name)?.device.location ?? null;
      const holds = holdingFor(
        this.inForce.value ?? [],
        { scope: 'device', target: name },
        this.metric,
        location,
      );
      return holds !== null && scopes.includes(holds.scope);
    });
  });

  /** The target that the server refused, by its name. */
  readonly refusedTarget: string | null = $derived.by(() => {
    const at = /^targets\[(\d+)\]/.exec(this.refused?.field ?? '')?.[1];
    return at === undefined ? null : (this.#sent[Number(at)]?.target ?? null);
  });

  /** The preset, while the form still says the same. */
  readonly presetId: string | null = $derived.by(() => {
    const asked = this.preset?.metrics[this.metric];
    return this.preset && asked && this.read.threshold && sameThreshold(asked, this.read.threshold)
      ? this.preset.id
      : null;
  });

  /** Whether a device has a probe for the metric, as far as is known: one that has said nothing yet may have. */
  measures(name: string): boolean {
    const latest = fleet.entries.get(name)?.latest ?? {};
    return Object.keys(latest).length === 0 || this.metric in latest;
  }

  start(metric: string | null, scope: string | null, target: string | null): void {
    if (metric) this.metric = metric;
    if (scope === 'location' || scope === 'device') this.scope = scope;
    if (this.scope === 'location') this.location = target ?? '';
    if (this.scope === 'device') this.devices = (target ?? '').split(',').filter(Boolean);
  }

  /** What is in force fills the form, unless somebody has begun to change it: other targets don't take that away. */
  show(): void {
    const begun =
      this.#metric === this.metric && (this.#chosen || JSON.stringify(this.draft) !== this.#filled);
    this.#metric = this.metric;
    if (!begun) this.#fill(this.holding?.threshold ?? null, this.holding?.preset ?? null);
  }

  /** An earlier version, or a preset, as somebody chose it. */
  take(threshold: Threshold, preset: string | null = null): void {
    this.#fill(threshold, preset);
    this.#chosen = true;
  }

  #sent = $state.raw<readonly Target[]>([]);
  #metric = '';
  #filled = '';
  #chosen = false;

  #fill(threshold: Threshold | null, preset: string | null): void {
    this.draft = draftOf(threshold, i18n.locale);
    this.#filled = JSON.stringify(this.draft);
    this.#chosen = false;
    this.preset = this.presets.value?.find(({ id }) => id === preset) ?? null;
    this.refused = null;
  }

  choosePreset(id: string): void {
    const threshold = this.presets.value?.find((each) => each.id === id)?.metrics[this.metric];
    if (threshold) this.take(threshold, id);
    else this.preset = null;
  }

  /** Sets it at every target, or removes it where there is one, for all or for none; answers how to undo that. */
  async put(threshold: Threshold | null): Promise<() => Promise<void>> {
    const { metric } = this;
    const targets = threshold ? this.targets : this.own;
    const before = targets.map((target) => ({
      target,
      was: exactly(this.inForce.value ?? [], target, metric),
    }));
    const preset = threshold ? this.presetId : null;
    this.#sent = targets;
    try {
      await this.#send(metric, { targets: [...targets], threshold, preset });
    } catch (cause) {
      if (cause instanceof Problem && cause.field) this.refused = cause;
      throw cause;
    }
    this.refused = null;
    [this.#filled, this.#chosen] = [JSON.stringify(this.draft), false];
    await this.inForce.load();
    return async () => {
      for (const change of undoOf(before)) await this.#send(metric, change);
      await this.inForce.load();
      this.#undone();
    };
  }

  /** What was saved holds no more: a form that still shows it would save it again. One that says something newer is left alone. */
  #undone(): void {
    if (this.#chosen || JSON.stringify(this.draft) !== this.#filled) return;
    this.#fill(this.holding?.threshold ?? null, this.holding?.preset ?? null);
  }

  #send(metric: string, { targets, threshold, preset }: Change): Promise<unknown> {
    return alertsApi.put({ targets, metric, threshold, ...(preset ? { preset } : {}) });
  }
}
