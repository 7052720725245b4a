// Owns the start: styles, theme, language, then the application.
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { i18n } from '$lib/i18n/index.svelte';
import { theme } from '$lib/state/theme.svelte';
import { mount } from 'svelte';
import App from './App.svelte';

theme.apply();
i18n.announce();

const target = document.getElementById('app');
if (target) mount(App, { target });
