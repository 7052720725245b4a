// Owns the English text of calibration: the guided one, the history, the state of a probe.

const one = (count: number, single: string, many: string): string => (count === 1 ? single : many);

export const calibration = {
  probe: {
    never: 'Never calibrated',
    last: (when: string, by: string) => `Last calibrated ${when} by ${by}`,
    health: (slope: string, offset: string, verdict: string) =>
      `slope ${slope} %, offset ${offset} mV, ${verdict}`,
    start: 'Calibrate',
    startNamed: (metric: string) => `Calibrate ${metric}`,
    history: 'History',
    historyNamed: (metric: string) => `Calibration history of ${metric}`,
    noSensor: 'Can’t be calibrated here: the probe delivers no voltage.',
    notReported:
      'Can’t be calibrated yet: the device has not said what it measures with. It says so when it is connected and runs a present agent.',
    offline: 'The device must be connected to be calibrated.',
  },

  verdict: { good: 'good', worn: 'worn, replace soon' },
  verdictHint: {
    good: 'The electrode is in good condition.',
    worn: 'The electrode is near its end. Clean it and calibrate again; if that does not help, replace it soon.',
  },

  title: (metric: string) => `Calibrate ${metric}`,
  simulated: 'This probe is simulated. You can practise here; no water is measured.',

  setup: {
    ph: 'Two buffers are needed, three are better. Have distilled water at hand to rinse the probe.',
    cell: 'One standard solution is needed. Have distilled water at hand to rinse the probe.',
    temperature:
      'Have a reference thermometer at hand. One point shifts the scale, a second one at another temperature makes it more exact.',
    level:
      'Have a ruler at hand. One height of the water shifts the scale, a second one makes it more exact.',
    other: 'Have a reference at hand. One point shifts the scale, a second one makes it more exact.',
    buffers: 'Buffer solutions',
    technical: 'Technical',
    nist: 'NIST',
    lot: 'Lot or expiry date',
    optional: 'optional',
    lotHint: 'As on the bottle. It stands in the record.',
    begin: 'Begin',
    beginning: 'Connecting to the device…',
    running: (metric: string) =>
      `A calibration of ${metric} is running on this device. If you begin another one, it ends without a result.`,
    join: 'Go on with it',
    offline:
      'The device is not connected, and a calibration needs it. Check its power and network; this page notices when it is back.',
  },

  nominal: {
    cell: 'Value of the standard solution',
    temperature: 'Reference thermometer',
    level: 'Height of the water by a ruler',
    other: 'Reference value',
    hintCell: 'As on the bottle, at 25 °C',
    hintLevel: 'From the bottom of the tank to the surface, in metres',
    hintOther: 'Read it at the moment when you take the point',
    invalid: 'Enter a number such as 25.4',
  },

  live: {
    now: 'Now',
    waiting: 'Waiting for the device…',
    settled: 'Steady',
    settling: 'Not steady yet',
    noSignal: 'No signal',
    silent: (age: string) => `No word from the device for ${age}`,
    silentLong: 'The device may be cut off, or the calibration may have ended there.',
    spread: (mv: string) => `±\u00a0${mv} mV`,
    temperature: (celsius: string) => `Temperature used: ${celsius} °C`,
    noTemperature: 'No temperature is measured',
    trace: 'The signal of the last minute',
    former: 'with the calibration so far',
  },

  measure: {
    dipFirst: 'Rinse the probe with distilled water, put it into a buffer and touch its value.',
    dipNext: 'Rinse the probe, put it into another buffer and touch its value.',
    dipCell: 'Rinse the probe with distilled water and put it into the standard solution.',
    dipLinear: 'Wait until the reference has settled, enter its value and take the point.',
    inBuffer: (label: string) => `The probe is in ${label}`,
    again: (label: string) => `Measure ${label} again`,
    inHere: 'The probe is in',
    againHere: 'Again in',
    take: 'Take the point',
    holding: (label: string) => `Waiting until ${label} is steady`,
    hold: 'Keep the probe still. The point is taken by itself.',
    stopWaiting: 'Stop waiting',
    points: 'Points taken',
    noPoints: 'None yet',
    remove: (label: string) => `Remove the point ${label}`,
    result: 'Show the result',
    missing: (count: number, text: string) =>
      one(count, 'One more point is needed', `${text} more points are needed`),
    more: 'Enough. One more point makes it more exact.',
    enough: 'All points are taken.',
    cancel: 'Cancel calibration',
  },

  result: {
    title: 'Result',
    slope: 'Slope',
    offset: 'Offset',
    acid: 'Slope, acid side',
    base: 'Slope, base side',
    k: 'Cell constant correction',
    factor: 'Factor',
    shift: 'Shift',
    notCalibrated: 'Not calibrated',
    refused: 'Refused',
    refusedHint: 'Nothing was changed: the former calibration stays in force.',
    save: 'Save calibration',
    saving: 'Saving…',
    back: 'Back to measuring',
  },

  done: {
    title: 'The calibration is in force',
    lead: 'Rinse the probe and put it back into the tank.',
    sending: 'The device measures with it already. Its record is still on the way to the server.',
    undone: 'The calibration was undone',
    undoneLead: 'What was in force before it is in force again.',
    device: 'To the device',
    history: 'To the history',
  },

  ended: {
    title: 'The calibration has ended',
    lead: 'It ended without a result: cancelled, left alone for too long, or the device was restarted. The former calibration stays in force.',
    elsewhere: 'Another calibration was begun on this device, so this one ended without a result.',
    again: 'Start again',
  },
  offline: {
    title: 'The device is offline',
    lead: 'The calibration can’t go on now. If the device comes back soon, it goes on by itself.',
  },

  leave: {
    title: 'Leave the calibration?',
    lead: 'It ends without a result, and the points are lost. The former calibration stays in force.',
    stay: 'Stay here',
    leave: 'End it',
  },

  undo: {
    open: 'Undo',
    title: 'Undo this calibration?',
    lead: 'What was in force before it becomes so again. Both stay in the history.',
    first: 'There was none before it, so the probe counts as not calibrated from now on.',
    confirm: 'Undo calibration',
    busy: 'Undoing…',
    done: 'Calibration undone',
  },

  history: {
    title: 'Calibrations',
    lead: (name: string) => `Every calibration of ${name}. Nothing is ever deleted from this list.`,
    link: 'Calibrations',
    probe: 'Probe',
    all: 'All',
    failed: 'The calibrations could not be loaded',
    empty: 'No calibration yet',
    emptyHint: 'The first one will stand here, with its points and its result.',
    when: 'When',
    who: 'Who',
    solutions: 'Buffers and lot',
    points: 'Points',
    outcome: 'Result',
    via: { dashboard: 'at the dashboard', device: 'at the device' },
    technical: 'Technical buffers',
    nist: 'NIST buffers',
    lot: (lot: string) => `Lot ${lot}`,
    active: 'In force',
    undid: (when: string) => `Undid the calibration of ${when}`,
    undoneBy: (by: string, when: string) => `Undone by ${by}, ${when}`,
    clocks: { repaired: 'Time corrected afterwards', unsynced: 'Time uncertain' },
    trend: 'Slope over time',
    trendLabel: (count: number, first: string, last: string) =>
      `Slope of ${count} calibrations: from ${first} % to ${last} %`,
    replace: 'replace below',
  },

  recomputed: {
    title: 'Recomputations',
    lead: 'Values that were computed again from the raw millivolts. The originals are kept.',
    empty: 'Nothing was ever recomputed.',
    revision: 'Version',
    range: 'Time range',
    by: 'Made',
    with: 'Calibration',
    inForce: 'The one in force at the time',
    of: (by: string, when: string) => `${by}, ${when}`,
    changed: (changed: string, readings: string) => `${changed} of ${readings} readings changed`,
    digest: 'Digest',
    within: 'Values in this range were recomputed',
  },

  problem: {
    points: 'The number of points is not right for this probe.',
    too_close: (a: string, b: string) =>
      `The points ${a} and ${b} are too close to each other. Rinse the probe and use another solution.`,
    no_temperature: (point: string) =>
      `No temperature was measured at the point ${point}, and this probe needs one. Check the temperature probe.`,
    temperature: (celsius: string) =>
      `${celsius} °C is outside the table of the buffers. Bring the solution to between 0 and 50 °C.`,
    unknown_buffer: (ph: string) => `There is no buffer of pH ${ph} in this set.`,
    slope: (percent: string) =>
      `The slope is ${percent} %; 85 to 105 % is usable. The buffer is a wrong or an old one, or the probe is worn.`,
    offset: (mv: string) =>
      `The offset is ${mv} mV; at most 30 mV is usable. The buffer is a wrong or an old one, or the probe is worn.`,
    cell: (k: string) =>
      `The cell constant would be corrected by ${k}; 0.25 to 4 is credible. The solution is a wrong one, or the probe is dirty.`,
    saturated: (point: string) => `The probe is at the end of its range at ${point}. Use a weaker solution.`,
    line: (factor: string) =>
      `The probe would be corrected by a factor of ${factor}; 0.5 to 2 is credible. Check its settings and its place.`,
    shift: (offset: string) =>
      `The probe would be shifted by ${offset}, more than is credible. Check its settings and its place.`,
    not_finite: 'A point has a value that is no number. Take it again.',
    no_signal: 'The probe gives no signal. Check its plug and its cable.',
    not_settled: 'The point has not been taken yet. Wait until the signal is steady, or stop waiting.',
    no_such_probe: 'The device has no such probe, or one that can’t be calibrated.',
    busy: 'Somebody has begun another calibration on this device, so this one has ended.',
    full: 'Too many calibrations wait on the device for the server. Connect it first, then calibrate again.',
    not_saved: 'The device could not save the calibration: its card may be full or broken.',
    left_alone: 'Nothing was done for ten minutes, so the device ended the calibration.',
  },
};
