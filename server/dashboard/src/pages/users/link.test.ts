// Checks where an invitation leads.
import { describe, expect, it } from 'vitest';
import { linkOf, whatsapp } from './link';

const made = { secret: 'tirta_iv_x', link: 'https://tirta.local:8443/join#tirta_iv_x' };

describe('the link of an invitation', () => {
  it('leads to where the server was reached, with the secret where no server sees it', () => {
    const here = { origin: 'https://192.168.1.5:8443', hostname: '192.168.1.5' };
    expect(linkOf(made, here)).toBe('https://192.168.1.5:8443/join#tirta_iv_x');
  });

  it('leads to the server’s public address where this one is of no use to others', () => {
    const here = { origin: 'http://127.0.0.1:8080', hostname: '127.0.0.1' };
    expect(linkOf(made, here)).toBe(made.link);
    expect(linkOf({ ...made, link: null }, here)).toBe('http://127.0.0.1:8080/join#tirta_iv_x');
  });

  it('is handed to the program on the phone and to no web site', () => {
    expect(whatsapp('Halo & #1')).toBe('whatsapp://send?text=Halo%20%26%20%231');
  });
});
