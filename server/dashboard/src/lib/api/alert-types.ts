// Owns the short names of what the server speaks about thresholds, alerts and outages.
import type { components } from './schema';

type Schemas = components['schemas'];
/** The document can't say that a detail may be anything. */
type Detailed<T> = Omit<T, 'detail'> & { detail: Record<string, unknown> };

export type Severity = Schemas['Severity'];
export type AlertState = Schemas['AlertState'];
export type Scope = Schemas['Scope'];
export type Text = Schemas['AlertText'];
export type Alert = Detailed<Schemas['Alert']>;
export type AlertCounts = Schemas['AlertNumbers'];
export type AlertFilter = Schemas['AlertFilter'];
export type AlertEvent = Detailed<Schemas['AlertEvent']>;
export type Delivery = Schemas['AlertDelivery'];
export type AlertDetail = Omit<Schemas['AlertHistory'], 'alert' | 'events' | 'children'> & {
  alert: Alert;
  events: AlertEvent[];
  children: Alert[];
};
export type AlertList = Omit<Schemas['Alerts'], 'alerts'> & { alerts: Alert[] };
export type Act = Schemas['AlertActs'];
export type Clearance = Schemas['AlertClearance'];
export type Threshold = Schemas['Threshold'];
export type Target = Schemas['Target'] & { target: string };
export type ThresholdVersion = Schemas['SetThreshold'];
/** The list has only those that were not taken away. */
export type ThresholdInForce = ThresholdVersion & { threshold: Threshold };
export type DeviceThreshold = Schemas['DeviceThreshold'];
export type ThresholdChange = Schemas['ThresholdChange'];
export type Preview = Schemas['ThresholdPreview'];
export type PreviewRequest = Schemas['PreviewRequest'];
export type Preset = Schemas['ThresholdPreset'];

export type News = Omit<Schemas['AlertMessage'], 'alert' | 'alerts'> & {
  alert: Alert | null;
  alerts?: Alert[];
};
/** The document has no list of the words. */
export type Silence = Omit<Schemas['Silence'], 'kind' | 'scope'> & { kind: NewSilence['kind']; scope: Scope };
export type NewSilence = Schemas['NewSilence'];
export type Outage = Schemas['Outage'];
export type Availability = Schemas['Availability'];
export type Per = 'day' | 'week' | 'month';
export type IntakeToken = Schemas['IntakeToken'];
