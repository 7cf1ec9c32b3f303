/** Called only when something of transformers.js wants to decode or scale a picture by itself: it shall not, see README.md. */
export default function absent() {
  throw new Error('transformers.js was asked to work on a picture; Larkspur hands it numbers that are ready for the network')
}
