// Owns the short names of what the server speaks. All of it comes from the server's OpenAPI document through
// schema.d.ts (`npm run types`), so that a change there shows here as a type error.
import type { News } from './alert-types';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Device = Schemas['Device'];
export type DeviceState = Schemas['DeviceState'];
export type DeviceCertificate = Schemas['DeviceCertificate'];
export type Settings = Schemas['Settings'];
export type Metric = Schemas['Metric'];
export type Fault = Schemas['Fault'];
export type Flag = Schemas['Flag'];
export type ClockQuality = Schemas['ClockQuality'];
export type Reading = Schemas['Reading'];
export type LatestReading = Schemas['LatestReading'];
export type Series = Schemas['Series'];
export type Token = Schemas['Token'];
export type NewToken = Schemas['NewToken'];
export type CreatedToken = Schemas['CreatedToken'];
export type Admits = Schemas['TokenAdmits'];
export type WaitingBoard = Schemas['WaitingBoard'];
export type NewApproval = Schemas['NewApproval'];
export type NewClaim = Schemas['NewClaim'];
export type Claimed = Schemas['ClaimedDevice'];
/** The document can't say that a detail may be anything. */
export type AuditEntry = Omit<Schemas['AuditEntry'], 'detail'> & { detail: Record<string, unknown> };
export type Registration = Schemas['Registration'];
export type ImportPlan = Schemas['ImportPlan'];
export type ImportLine = Schemas['ImportLine'];
export type ImportVerdict = Schemas['ImportVerdict'];
export type LineProblem = Schemas['LineProblem'];
export type NewRange = Schemas['NewRange'];
export type ReservedRange = Schemas['ReservedRange'];
export type LiveEvent = Exclude<Schemas['LiveEvent'], { type: 'alert' }> | { type: 'alert'; news: News };
export type Buffers = Schemas['Buffers'];
export type Calibrated = Schemas['Calibrated'];
export type Calibration = Schemas['Calibration'];
export type CalibrationOrder = Schemas['CalibrationOrder'];
export type CalibrationPoint = Schemas['CalibrationPoint'];
export type CalibrationProblem = Schemas['CalibrationProblem'];
export type CalibrationRecord = Schemas['CalibrationRecord'];
export type Calibrations = Schemas['Calibrations'];
export type CalibrationView = Schemas['CalibrationView'];
export type ProbeHealth = Schemas['ProbeHealth'];
export type Revision = Schemas['Revision'];
export type Session = Schemas['Session'];
export type Role = Schemas['Role'];
export type Permission = Schemas['Permission'];
export type ApiKey = Schemas['ApiKey'];
export type KeyState = Schemas['KeyState'];
export type NewKey = Schemas['NewKey'];
export type CreatedKey = Schemas['CreatedKey'];
export type User = Schemas['User'];
export type NewUser = Schemas['NewUser'];
export type UserWithPassword = Schemas['UserWithPassword'];
export type UserChange = Schemas['UserChange'];
