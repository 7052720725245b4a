// Owns which of the texts of reports is read. They are large, and most people open another page first.
import { i18n } from '$lib/i18n/index.svelte';
import { reportsEn, type ReportsText } from '$lib/i18n/reports.en';
import { reportsId } from '$lib/i18n/reports.id';

export const reportText = (): ReportsText => (i18n.language === 'id' ? reportsId : reportsEn);
