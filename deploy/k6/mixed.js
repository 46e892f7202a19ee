// Mixed traffic: of ten calls, eight Recommend of several shapes, one SimilarItems, one SubmitRating.
import exec from 'k6/execution';

import { call, next, options as bounds, requests, submit } from './load.js';

const recommend = requests('mixed');
const similar = requests('similar');
const ratings = requests('submit');
export const options = bounds(20000);

export default function () {
  const turn = exec.scenario.iterationInTest % 10;
  if (turn === 0) {
    submit(next(ratings, 10));
  } else if (turn === 5) {
    call('SimilarItems', next(similar, 10));
  } else {
    call('Recommend', next(recommend));
  }
}
