// Recommend for Zipf-distributed users.
import { call, next, options as bounds, requests } from './load.js';

const entries = requests('recommend');
export const options = bounds(20000);

export default function () {
  call('Recommend', next(entries));
}
