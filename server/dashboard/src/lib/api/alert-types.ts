// Owns the short names of what the server speaks about thresholds, alerts and outages.

export type Severity = 'warning' | 'critical';
export type AlertState = 'open' | 'acknowledged' | 'resolved';
export type Scope = 'fleet' | 'location' | 'device';
export interface Text {
  id: string;
  en: string;
}

export interface Alert {
  id: number;
  source: string;
  kind: string;
  device: string | null;
  location: string | null;
  metric: string | null;
  unit: string | null;
  severity: Severity;
  worst: Severity;
  state: AlertState;
  since: number;
  raised_at: number;
  known_at: number;
  resolved_at: number | null;
  resolved_by: string | null;
  reason: string | null;
  value: number | null;
  limit: number | null;
  extreme: number | null;
  simulated: boolean;
  historical: boolean;
  reopened: number;
  read: boolean;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
  assignee: string | null;
  snoozed_until: number | null;
  parent: number | null;
  children: number;
  silenced: boolean;
  detail: Record<string, unknown>;
  text: Text;
}

export interface News {
  v: number;
  key: string;
  what: string;
  at: number;
  text: Text;
  alert: Alert | null;
  alerts?: Alert[];
}

export interface AlertCounts {
  open: number;
  acknowledged: number;
  critical: number;
  unread: number;
}
export interface AlertList {
  alerts: Alert[];
  next: number | null;
  counts: AlertCounts;
}
export interface AlertEvent {
  seq: number;
  at: number;
  who: string;
  what: string;
  detail: Record<string, unknown>;
}
export interface Delivery {
  what: string;
  at: number;
  withheld: string | null;
  channel: string | null;
  state: string | null;
  tries: number;
  done_at: number | null;
  problem: string | null;
}
export interface AlertDetail {
  alert: Alert;
  events: AlertEvent[];
  deliveries: Delivery[];
  children: Alert[];
}
export type ActName = 'read' | 'acknowledge' | 'resolve' | 'reopen' | 'assign' | 'snooze' | 'note';
export interface Act {
  ids: number[];
  act: ActName;
  reason?: string;
  assignee?: string | null;
  until?: number | null;
  text?: string;
}
export interface Clearance {
  id: number;
  at: number;
  who: string;
  alerts: number;
  restored_at: number | null;
}

export interface Side {
  warning?: number | null;
  critical?: number | null;
}
export interface Change {
  change: number;
  within_ms: number;
  severity?: Severity;
}
export interface Lasting {
  after_ms: number;
  severity?: Severity;
}
export interface Threshold {
  low?: Side;
  high?: Side;
  hysteresis?: number | null;
  hold_ms?: number;
  clear_ms?: number;
  rate?: Change | null;
  missing?: Lasting | null;
  fault?: Lasting | null;
}
export interface Target {
  scope: Scope;
  target: string;
}
export interface ThresholdInForce extends Target {
  metric: string;
  version: number;
  threshold: Threshold;
  preset: string | null;
  changed_at: number;
  changed_by: string;
}
export interface DeviceThreshold extends Target {
  version: number;
  threshold: Threshold;
  applied: boolean;
  waiting_since: number | null;
  beyond_probe: string[];
}
export interface ThresholdVersion {
  version: number;
  threshold: Threshold | null;
  preset: string | null;
  changed_at: number;
  changed_by: string;
}
export interface PreviewAlert {
  kind: string;
  severity: Severity;
  since: number;
  raised_at: number;
  resolved_at: number | null;
  extreme: number | null;
}
export interface Preview {
  alerts: PreviewAlert[];
  count: number;
  readings: number;
  from: number;
  to: number;
  truncated: boolean;
}
export interface Preset {
  id: string;
  name: Text;
  version: number;
  effective: string;
  source: string;
  metrics: Record<string, Threshold>;
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
