// Owns what the map asks of the server. See `client.ts`.
import { call } from './call';

export const mapApi = {
  config: () => call('get', '/api/v1/map', {}),
  /** Says where a device stands; null: nobody knows. */
  place: (name: string, position: { latitude: number; longitude: number } | null) =>
    call('patch', '/api/v1/devices/{name}', {
      path: { name },
      body: { latitude: position?.latitude ?? null, longitude: position?.longitude ?? null },
    }),
};
