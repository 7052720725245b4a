// Owns the shapes that the server answers with, as the rest of the dashboard names them.

export type DeviceState = 'online' | 'offline' | 'never' | 'revoked';

export interface Device {
  name: string;
  serial: string;
  state: DeviceState;
  last_seen: number | null;
  enrolled_at: number;
  simulated: boolean;
  agent: string | null;
  clock: string | null;
  buffer: { id: string; pending: number; dropped: number } | null;
  probes: Record<string, string>;
  settings: Settings;
}

export interface Settings {
  version: number;
  applied: number;
  interval_ms: Record<string, number>;
}

export interface Reading {
  metric: string;
  unit: string;
  time: number;
  clock: string;
  value: number | null;
  fault: string | null;
  millivolts: number | null;
  flags: string[];
}

export type LatestReading = Reading & { device: string };

export interface Series {
  device: string;
  metric: string;
  unit: string;
  bucket_ms: number;
  time: number[];
  min: (number | null)[];
  avg: (number | null)[];
  max: (number | null)[];
  count: number[];
  faults: number[];
}

export interface Token {
  id: string;
  uses_left: number;
  expires_at: number;
  created_at: number;
  note: string;
}

export type NewToken = Token & { token: string };

export type LiveEvent =
  | { type: 'readings'; device: string; readings: Reading[] }
  | { type: 'device'; device: Device }
  | { type: 'missed' };
