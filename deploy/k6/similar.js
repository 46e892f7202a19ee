// SimilarItems for Zipf-distributed items.
import { call, next, options as bounds, requests } from './load.js';

const entries = requests('similar');
export const options = bounds(20000);

export default function () {
  call('SimilarItems', next(entries));
}
