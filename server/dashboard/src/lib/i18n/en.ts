// Owns the English text, and with it the list of keys: a language that lacks one does not compile,
// and a word of the API that has no text does not either.

import type { ClockQuality, DeviceState, Fault, Flag, Metric } from '$lib/api/types';
import { alertsEn } from './alerts.en';
import { appEn } from './app.en';
import { auditEn } from './audit.en';
import { calibration } from './calibration.en';
import { chainEn } from './chain.en';
import { claimEn } from './claim.en';
import { docsEn } from './docs.en';
import { compareEn } from './compare.en';
import { devicesEn } from './devices.en';
import { identityEn } from './identity.en';
import { mapEn } from './map.en';
import { newcomersEn } from './newcomers.en';
import { keyboardEn } from './keyboard.en';
import { keysEn } from './keys.en';
import { outagesEn } from './outages.en';
import { overviewEn } from './overview.en';
import { passwordEn } from './password.en';
import { peopleEn } from './people.en';
import { profileEn } from './profile.en';
import { readingsEn } from './readings.en';
import { registryEn } from './registry.en';
import { securityEn } from './security.en';
import { thresholdsEn } from './thresholds.en';
import { tokensEn } from './tokens.en';

interface Explained {
  short: string;
  hint: string;
}

const one = (count: number, single: string, many: string): string => (count === 1 ? single : many);

export const en = {
  name: 'English',
  product: 'Tirta',
  tagline: 'Every tank, every reading, live.',
  skip: 'Skip to content',

  nav: {
    main: 'Main',
    groups: { watch: 'Watch', fleet: 'Fleet', administration: 'Administration' },
    overview: 'Overview',
    fleet: 'Devices',
    map: 'Map',
    compare: 'Compare',
    readings: 'History',
    alerts: 'Alerts',
    thresholds: 'Thresholds',
    outages: 'Outages',
    reports: 'Reports',
    waiting: 'Waiting',
    claim: 'Set up',
    enrolment: 'Enrolment',
    registry: 'Registry',
    audit: 'Audit log',
    keys: 'API keys',
    system: 'System',
    users: 'Accounts',
    roles: 'Roles',
    presets: 'Presets',
    profile: 'Profile',
    security: 'Security',
    settings: 'Settings',
    more: 'More',
  },

  signIn: {
    title: 'Sign in',
    lead: 'Use the account of your installation.',
    user: 'User name',
    password: 'Password',
    show: 'Show password',
    hide: 'Hide password',
    submit: 'Sign in',
    busy: 'Signing in…',
    wrong: 'User name or password is not right. Check capital letters and try again.',
    slow: 'Too many attempts. Wait a moment, then try again.',
    missing: 'Enter your user name and password.',
    expired: 'Your session has ended. Sign in again to go on where you were.',
    points: [
      'Values of all devices at a glance, with their age',
      'Nothing is lost while a device is offline',
      'A failed probe is named, never drawn as a number',
    ],
  },

  connection: {
    live: 'Live',
    connecting: 'Connecting…',
    lost: 'Offline',
    banner: (since: string) => `No connection to the server. You see the state of ${since}.`,
    bannerNever: 'No connection to the server.',
    retry: 'Try now',
    retrying: 'Trying again…',
    back: 'Connected again. Everything is up to date.',
  },

  state: {
    online: 'Online',
    offline: 'Offline',
    never: 'Not seen yet',
    revoked: 'Decommissioned',
    quarantined: 'Shut out',
  } satisfies Record<DeviceState, string>,

  fleet: {
    title: 'Devices',
    search: 'Search name, serial, location',
    clear: 'Clear search',
    filter: 'Filter devices',
    all: 'All',
    pending: (text: string) => `${text} readings waiting on devices`,
    sort: 'Order',
    trend: 'Trend',
    device: 'Device',
    status: 'Status',
    simulated: 'Simulated',
    simulatedHint: 'These values are made up by a simulation. They do not come from water.',
    noValue: 'No value',
    count: (count: number, text: string) => one(count, `${text} device`, `${text} devices`),
    noMatch: 'No device matches',
    noMatchHint: 'Change the search or the filter.',
    reset: 'Show all devices',
    failed: 'The devices could not be loaded',
    emptyTitle: 'Add your first device',
    emptyLead: 'A Raspberry Pi joins by itself once it has an enrolment token.',
    emptySteps: [
      'Create an enrolment token and download its fleet file. It works for a limited time and number of devices.',
      'Put the file on the boot partition of the card, or on a USB stick in the Pi.',
      'Switch the Pi on. It gets its name and shows up here, or waits for your approval.',
    ],
    emptyAction: 'Create a token',
  },

  age: {
    now: 'now',
    ago: (age: string) => `${age} ago`,
    justNow: 'just now',
    uncertain: 'time uncertain',
    stale: 'old value',
  },

  metric: {
    ph: 'pH',
    tds: 'TDS',
    temperature: 'Temperature',
    volume: 'Volume',
    ec: 'Conductivity',
    level: 'Level',
    pressure: 'Pressure',
    flow: 'Flow',
    speed: 'Speed',
  } satisfies Record<Metric, string>,

  fault: {
    no_bus: {
      short: 'I²C bus missing',
      hint: 'The device cannot open its I²C bus. Check that I²C is enabled.',
    },
    no_answer: { short: 'No answer', hint: 'The converter does not answer. Check plug, power and address.' },
    bus_error: { short: 'I²C fails', hint: 'The transfer broke off. Check cable length and shielding.' },
    not_ready: { short: 'Not ready', hint: 'The converter did not finish in time.' },
    rail_low: {
      short: 'Signal low',
      hint: 'The signal sits at its lower end: short circuit or no supply.',
    },
    rail_high: {
      short: 'Signal high',
      hint: 'The signal sits at its upper end: open cable or over range.',
    },
    out_of_range: {
      short: 'Impossible value',
      hint: 'The signal gives no physically possible value. Check the calibration.',
    },
    other: { short: 'Unknown fault', hint: 'A newer agent reports a fault that this version cannot name.' },
  } satisfies Record<Fault, Explained>,

  flag: {
    title: 'About this value',
    simulated: { short: 'Simulated', hint: 'It comes from a simulation, not from water.' },
    uncalibrated: { short: 'Not calibrated', hint: 'No calibration of this probe was used.' },
    no_temperature: { short: 'No temperature', hint: 'It depends on temperature, and none was measured.' },
    saturated: {
      short: 'End of range',
      hint: 'The probe is at the end of its range. The true value may be higher.',
    },
    stuck: { short: 'Does not move', hint: 'The raw signal has not moved for suspiciously long.' },
    out_of_range: { short: 'Unusual', hint: 'It lies outside what is usual here.' },
    unstable: { short: 'Unstable', hint: 'The samples behind it disagreed.' },
    calibrating: {
      short: 'Being calibrated',
      hint: 'Somebody was calibrating the probe: it was in a buffer, not in the tank.',
    },
    other: { short: 'Note', hint: 'A newer agent has a remark that this version cannot name.' },
    recomputed: {
      short: 'Recomputed',
      hint: 'It was computed again from the raw signal with a later calibration. The original is kept.',
    },
    clock: { short: 'Time uncertain', hint: 'The device’s clock was not synchronised when it measured.' },
    show: (count: number) => one(count, 'Show 1 remark', `Show ${count} remarks`),
  } satisfies Record<Flag, Explained> & Record<string, unknown>,

  device: {
    back: 'Devices',
    notFound: 'There is no device with this name',
    notFoundHint: 'It may have another name, or it was never enrolled.',
    toFleet: 'To the devices',
    range: 'Time range',
    ranges: { m15: '15 min', h1: '1 h', h24: '24 h', d7: '7 d', d30: '30 d' },
    charts: 'Charts',
    min: 'Min',
    avg: 'Average',
    max: 'Max',
    noData: 'No readings in this time range',
    noDataHint: 'Choose a longer range, or wait for the next reading.',
    onlyFaults: 'Only failed readings in this time range',
    chartFailed: 'The chart could not be loaded',
    retry: 'Try again',
    failedReadings: (count: number, text: string) =>
      one(count, `${text} failed reading`, `${text} failed readings`),
    chartLabel: (metric: string, range: string) => `Chart of ${metric}, ${range}`,
    details: 'Details',
    serial: 'Serial',
    location: 'Location',
    agent: 'Agent',
    enrolled: 'Enrolled',
    lastSeen: 'Last seen',
    clock: 'Clock',
    clocks: {
      synced: 'Synchronised',
      repaired: 'Corrected afterwards',
      unsynced: 'Not synchronised',
    } satisfies Record<ClockQuality, string>,
    buffer: 'Waiting on the device',
    dropped: 'Dropped',
    droppedHint: 'The buffer was full, so the oldest readings were dropped.',
    spread: (mv: string) => `Raw signal ${mv} mV`,
    spreadHint: 'Mean of the samples, and how far they disagreed.',
    trouble: {
      disk_full:
        'The card of the device is full. Readings wait in its memory and are lost if it loses power.',
      card_error:
        'The card of the device can’t be written. Readings wait in its memory; replace the card soon.',
      other:
        'The device can’t write its readings down. They wait in its memory and are lost if it loses power.',
    },
    setAside: 'Damaged buffers',
    setAsideHint: 'They were set aside on the card. Somebody should look at them.',
    troubleOther: (word: string) => `The device reports a problem: ${word}`,
    alarm: {
      no_gpio:
        'The alarm output is configured, but this machine has no such pin: nothing will sound or light up.',
    },
    alarmOther: (word: string) => `The alarm output reports a problem: ${word}`,
    none: 'None',
    unknown: 'Unknown',
    revokedBanner: 'This device was decommissioned. Its history stays, new readings are refused.',
  },

  interval: {
    title: 'Sampling interval',
    lead: 'How often each probe is read.',
    agentDefault: 'Set on the device',
    custom: 'Other…',
    seconds: 'Seconds',
    secondsOf: (metric: string) => `Interval of ${metric} in seconds`,
    bounds: (shortest: string, longest: string) => `Between ${shortest} and ${longest}`,
    save: 'Save',
    saving: 'Saving…',
    discard: 'Discard',
    applied: 'Applied',
    waiting: 'Waiting for the device',
    waitingHint: 'The device takes it over as soon as it is connected.',
    untouched: 'As configured on the device',
    saved: 'Interval saved',
  },

  revoke: {
    title: 'Decommission',
    lead: 'For a device that is lost, stolen or retired. It is disconnected at once and cannot come back with its certificate. Its history stays.',
    open: 'Decommission…',
    confirmTitle: (name: string) => `Decommission ${name}?`,
    confirmLead: 'It is disconnected at once. This cannot be undone.',
    typeName: (name: string) => `Type ${name} to confirm`,
    confirm: 'Decommission device',
    done: (name: string) => `${name} was decommissioned`,
  },

  calibration,

  docs: docsEn,
  tokens: tokensEn,

  alerts: alertsEn,
  thresholds: thresholdsEn,
  keys: keysEn,
  outages: outagesEn,
  overview: overviewEn,
  devices: devicesEn,
  compare: compareEn,
  readings: readingsEn,
  map: mapEn,
  app: appEn,
  registry: registryEn,
  identity: identityEn,
  claim: claimEn,
  audit: auditEn,
  chain: chainEn,

  password: passwordEn,
  security: securityEn,
  people: peopleEn,
  newcomers: newcomersEn,
  profile: profileEn,
  keyboard: keyboardEn,

  settings: {
    title: 'Settings',
    language: 'Language',
    languageHint: 'Also decides how numbers and dates are written.',
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    account: 'Account',
    signedInAs: (user: string) => `Signed in as ${user}`,
    signOut: 'Sign out',
  },

  problem: {
    unreachable: 'The server cannot be reached. Check the network and try again.',
    forbidden: 'Your role does not allow this. Ask an admin if you need it.',
    notFound: 'This no longer exists.',
    server: 'The server has a problem. Try again in a moment.',
    offline: 'The device is not connected. Try again when it is back.',
    revoked: 'The device was decommissioned.',
    notInForce: 'This calibration is no longer the one in force. Look at the history again.',
    unknownLabel:
      'The server knows neither this name nor this serial. Register it, or wait until the board asks to join.',
    taken: (detail: string) => `This name or board belongs to another device: ${detail}`,
    invalid: (detail: string) => `The server refused it: ${detail}`,
  },

  common: {
    cancel: 'Cancel',
    close: 'Close',
    loading: 'Loading…',
    doubt: (whole: string, part: string) => `${whole} or ${part}? Type it without a sign for thousands.`,
    retry: 'Try again',
    undo: 'Undo',
    undone: 'Change undone',
  },
  notFound: { title: 'There is nothing here', lead: 'The address may be mistyped.' },
};
