// Owns the start: styles, theme, language, then the application, then what keeps its frame for days without a network.
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/print.css';
import { app } from '$lib/app/app.svelte';
import { i18n } from '$lib/i18n/index.svelte';
import { theme } from '$lib/state/theme.svelte';
import { mount } from 'svelte';
import App from './App.svelte';

theme.apply();
i18n.announce();

const target = document.getElementById('app');
if (target) mount(App, { target });
if (import.meta.env.PROD) void app.keep();
