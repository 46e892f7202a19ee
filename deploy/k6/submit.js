// SubmitRating for Zipf-distributed users and items.
import { next, options as bounds, requests, submit } from './load.js';

const entries = requests('submit');
export const options = bounds(5000);

export default function () {
  submit(next(entries));
}
