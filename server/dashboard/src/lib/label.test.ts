// Checks what is read off a label, typed by hand or pasted from a spreadsheet.
import { describe, expect, it } from 'vitest';
import { labelOf, parseLabel, parseName, parseSerial, parseSerials } from './label';

const SERIAL = '10000000a3c40011';

describe('a label', () => {
  it('is the address of its QR code, whatever the server is called', () => {
    for (const host of ['https://tirta.local:8443', 'http://192.168.1.9', 'https://old-name.example'])
      expect(parseLabel(`${host}/claim/pi-7?serial=${SERIAL}`)).toEqual({ name: 'pi-7', serial: SERIAL });
    expect(parseLabel('https://tirta.local/claim/pi-7')).toEqual({ name: 'pi-7', serial: null });
    expect(parseLabel(`https://tirta.local/claim?serial=${SERIAL}`)).toEqual({ name: null, serial: SERIAL });
    expect(parseLabel(' https://tirta.local/claim/pi-7/ \n')).toEqual({ name: 'pi-7', serial: null });
  });

  it('can be typed as a name or a serial alone', () => {
    expect(parseLabel(' PI-7 ')).toEqual({ name: 'pi-7', serial: null });
    expect(parseLabel(SERIAL.toUpperCase())).toEqual({ name: null, serial: SERIAL });
  });

  it('is nothing else', () => {
    for (const text of [
      '',
      'hello world',
      'https://tirta.local/',
      'https://tirta.local/claim',
      'https://tirta.local/claim/pi-7/more',
      'https://tirta.local/devices/pi-7',
      'javascript:/claim/pi-7',
      'WIFI:T:WPA;S=tirta;;',
      '123',
    ])
      expect(parseLabel(text), text).toBeNull();
  });

  it('with a damaged half keeps the other half', () => {
    expect(labelOf('pi-7', 'xyz')).toEqual({ name: 'pi-7', serial: null });
    expect(labelOf('%', SERIAL)).toEqual({ name: null, serial: SERIAL });
    expect(labelOf('Pi 7!', null)).toBeNull();
    expect(labelOf(null, null)).toBeNull();
  });
});

describe('a serial', () => {
  it('is taken as people and boards write it', () => {
    for (const text of [SERIAL, ` ${SERIAL}\n`, `0x${SERIAL}`, '1000 0000 A3C4 0011', '10000000:a3c40011'])
      expect(parseSerial(text), text).toBe(SERIAL);
    expect(parseSerial('a3c40011')).toBe('00000000a3c40011');
  });

  it('has 8 or 16 hexadecimal digits, not all of them zero', () => {
    for (const text of ['', 'a3c4', '1'.repeat(15), '1'.repeat(17), 'g000000000000000', '0'.repeat(16)])
      expect(parseSerial(text), text).toBeNull();
  });

  it('is one of a list with any separator, and what is none is named', () => {
    const { serials, wrong } = parseSerials(`${SERIAL}, a3c40012;\n\n${SERIAL}\tserial pi-7`);
    expect(serials).toEqual([SERIAL, '00000000a3c40012']);
    expect(wrong).toEqual(['serial', 'pi-7']);
    expect(parseSerials(' \n ')).toEqual({ serials: [], wrong: [] });
  });
});

it('a name is what the server would take', () => {
  for (const name of ['pi-1', 'a', 'kolam-lele-2', 'a'.repeat(32)]) expect(parseName(name), name).toBe(name);
  for (const name of ['', '1pi', 'pi-', 'pi 1', 'tirta-server', 'a'.repeat(33), 'pi/1'])
    expect(parseName(name), name).toBeNull();
});
