// Owns the sound of an alert, made by the browser itself: two low notes for a warning, three high ones for a critical one.
import type { Severity } from '$lib/api/alert-types';

const NOTES: Record<Severity, readonly number[]> = { warning: [523, 392], critical: [880, 698, 880] };
const NOTE_S = 0.16;
const GAP_S = 0.06;

let context: AudioContext | null = null;

/** What lets a page sound; the beginning of a touch does not. */
const TOUCHES = ['pointerup', 'keydown'] as const;

/** A browser lets a page sound only after a touch: to be called within one. */
export function wakeSound(): void {
  context ??= new AudioContext();
  if (context.state === 'running') for (const touch of TOUCHES) removeEventListener(touch, wakeSound);
  else void context.resume();
}

/** Tries at each touch, until the browser lets it. */
export function wakeAtTouch(): void {
  for (const touch of TOUCHES) addEventListener(touch, wakeSound);
}

export function play(severity: Severity): void {
  if (context?.state !== 'running') return;
  let at = context.currentTime;
  for (const pitch of NOTES[severity]) {
    note(context, pitch, at);
    at += NOTE_S + GAP_S;
  }
}

/** Swells and fades: a tone that is cut off clicks. */
function note(audio: AudioContext, pitch: number, at: number): void {
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  tone.type = 'triangle';
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.35, at + 0.02);
  volume.gain.linearRampToValueAtTime(0, at + NOTE_S);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + NOTE_S);
}
