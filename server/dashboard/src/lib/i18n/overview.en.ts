// Owns the English text of the overview: the fleet at a glance, its averages, who needs somebody, what happened last.

const one = (count: number, single: string, many: string): string => (count === 1 ? single : many);

export const overviewEn = {
  title: 'Overview',
  calm: 'Everything is in order.',
  needs: (count: number, text: string) =>
    one(count, `${text} device needs somebody.`, `${text} devices need somebody.`),
  glance: 'At a glance',
  critical: 'Critical alerts',
  warning: 'Warnings',
  ofAll: (text: string) => `of ${text}`,
  simulated: (count: number, text: string) => one(count, `${text} is simulated`, `${text} are simulated`),
  allSimulated: 'All values here are simulated. They do not come from water.',
  waiting: (count: number, text: string) =>
    one(count, `${text} board waits for approval`, `${text} boards wait for approval`),

  averages: 'Averages now',
  averagesHint: 'Of devices that are connected and measure. Failed and old values do not count.',
  lowest: (value: string, device: string) => `Lowest ${value} at ${device}`,
  highest: (value: string, device: string) => `Highest ${value} at ${device}`,
  from: (text: string, of: string) => `${text} of ${of} devices`,
  leftOut: (count: number, text: string) =>
    one(count, `${text} simulated device left out`, `${text} simulated devices left out`),
  nothing: 'No present value',
  spread: (metric: string) => `How the values of ${metric} are spread over the devices`,

  worst: 'Needs attention',
  worstNone: 'Nothing needs attention',
  worstNoneHint: 'No alert, no failing probe, nobody missing, and no value near its limit.',
  worstAll: (count: number, text: string) => one(count, `${text} device`, `All ${text} devices`),
  need: {
    critical: 'Critical alert',
    quarantined: 'Shut out',
    fault: 'Probe fails',
    trouble: 'Reports a problem',
    offline: 'Offline',
    warning: 'Warning',
    stale: 'Old value',
    near: 'Near a limit',
  },
  silent: (metrics: string) => `${metrics}: no new value`,
  near: (metric: string, value: string, limit: string) => `${metric} ${value}, limit ${limit}`,

  events: 'What happened last',
  eventsNone: 'Nothing has happened yet',
  eventsNoneHint: 'Alerts and outages appear here as they come and go.',
  eventsFailed: 'What happened could not be loaded',
  eventsAll: 'All alerts',
  resolved: (text: string) => `Over: ${text}`,
  outage: (device: string, cause: string) => `${device} was away (${cause})`,
  serverOutage: (cause: string) => `The server was away (${cause})`,
};
