// Owns the English text of the application as such: its installation, its updates, and its opening without a network.

export const appEn = {
  update: 'A new version is ready.',
  reload: 'Load it',
  install: 'Install as an app',
  installHint: 'Opens like any app, and shows its frame even where there is no network.',
  installNow: 'Install',
  noNetwork: 'No network',
  noNetworkHint: 'The page is here, the values are not: they come as soon as the server can be reached.',
  unloaded: 'This page could not be loaded',
  unloadedHint:
    'It has not been opened on this phone or computer yet, and its files have to come from the server.',
  stillUnloaded: 'The server still cannot be reached.',
  account: 'Your account',
  zone: (name: string) => `Times are ${name}.`,
  groupOf: (group: string) => `More: ${group}`,
};
