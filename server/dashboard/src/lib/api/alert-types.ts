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

export interface News {
  v: number;
  key: string;
  what: string;
  at: number;
  text: Text;
  alert: Alert | null;
  alerts?: Alert[];
}

export interface Silence extends Target {
  id: number;
  kind: 'maintenance' | 'silence';
  from: number;
  to: number;
  reason: string;
  made_by: string;
  made_at: number;
  ended_at: number | null;
  ended_by: string | null;
}
export interface NewSilence extends Target {
  kind: 'maintenance' | 'silence';
  from: number;
  to: number;
  reason: string;
}
export interface Outage {
  id: number;
  device: string | null;
  location: string | null;
  started_at: number;
  ended_at: number | null;
  cause: string;
  detail: Record<string, unknown>;
  alert: number | null;
}
export interface Availability {
  device: string | null;
  location: string | null;
  from: number;
  to: number;
  availability_percent: number | null;
  outages: number;
  out_ms: number;
  unknown_ms: number;
  planned_ms: number;
}
export type Per = 'day' | 'week' | 'month';
export interface IntakeToken {
  id: string;
  name: string;
  made_by: string;
  made_at: number;
  used_at: number | null;
  revoked_at: number | null;
}
