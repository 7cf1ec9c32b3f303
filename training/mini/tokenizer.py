"""A small BPE in CLIP's format (vocab.json, merges.txt), trained on the captions of the data. usage: python -m mini.tokenizer"""
import collections, json, os
import regex
from .colour import COLOUR_WORDS
from .paths import work

PATTERN = regex.compile(r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""", regex.IGNORECASE)
CONTEXT = 24
EXTRA = ["dress", "hat", "long-sleeve top", "jacket", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt", "sweater", "hoodie", "coat", "suit", "trousers",
         "dog", "cat", "backpack", "teapot", "vase", "toy", "can", "candle", "bowl", "clock", "sneaker", "boot", "sunglasses", "chair", "sofa", "lamp", "plant",
         "milk", "juice", "yoghurt", "carton", "package", "bottle", "background", "table", "grass", "wood", "beach", "snow", "sand", "sky", "wall", "floor",
         "striped", "dotted", "small", "large", "shiny", "cartoon", "plush", "wooden", "leather", "metal", "glass", "on the", "next to", "in front of"] * 4


def bytes_to_unicode():
    """CLIP's reversible map from bytes to printable characters."""
    codes = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    chars, extra = codes[:], 0
    for b in range(256):
        if b not in codes:
            codes.append(b)
            chars.append(256 + extra)
            extra += 1
    return dict(zip(codes, map(chr, chars)))


class Tokenizer:
    def __init__(self, folder):
        with open(f"{folder}/vocab.json") as file:
            self.vocab = json.load(file)
        with open(f"{folder}/merges.txt") as file:
            merges = file.read().strip().split("\n")[1:]
        self.ranks = {tuple(m.split()): i for i, m in enumerate(merges)}
        self.bytes = bytes_to_unicode()
        self.bos, self.eos = self.vocab["<|startoftext|>"], self.vocab["<|endoftext|>"]
        self.cache = {}

    def word(self, token):
        if token not in self.cache:
            parts = [self.bytes[b] for b in token.encode()]
            parts[-1] += "</w>"
            while len(parts) > 1:
                rank, i = min((self.ranks.get((a, b), 1 << 30), i) for i, (a, b) in enumerate(zip(parts, parts[1:])))
                if rank == 1 << 30:
                    break
                parts[i:i + 2] = [parts[i] + parts[i + 1]]
            self.cache[token] = [self.vocab[p] for p in parts]
        return self.cache[token]

    def __call__(self, text, length=CONTEXT):
        ids = [self.bos]
        for token in PATTERN.findall(" ".join(text.lower().split())):
            ids += self.word(token)
        ids = ids[:length - 1] + [self.eos]
        return ids + [self.eos] * (length - len(ids))


def corpus():
    texts = ["a photo of a", "the", "on a white background", "an", "in", "of", "with", "and"] * 50 + sorted(COLOUR_WORDS) * 50
    for name in ("cutouts", "photos"):
        for info in json.load(open(work("assets", f"{name}.json"))):
            texts += [info["name"]] * (2 if info["kind"] == "emoji" else 1) + info["keywords"] + ([info["caption"]] if info.get("caption") else [])
    return texts + EXTRA


def train(folder, texts, target=3072):
    counts = collections.Counter()
    for text in texts:
        counts.update(PATTERN.findall(text.lower()))
    table = bytes_to_unicode()
    words = []
    for token, n in sorted(counts.items()):
        parts = [table[b] for b in token.encode()]
        parts[-1] += "</w>"
        words.append((parts, n))
    base = list(table.values())
    vocab, merges = base + [b + "</w>" for b in base], []
    while len(vocab) < target - 2:
        pairs = collections.Counter()
        for parts, n in words:
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
        if not pairs:
            break
        (a, b), n = max(pairs.items(), key=lambda kv: (kv[1], kv[0]))
        if n < 2:
            break
        merges.append((a, b))
        vocab.append(a + b)
        for parts, _ in words:
            i = 0
            while i < len(parts) - 1:
                if parts[i] == a and parts[i + 1] == b:
                    parts[i:i + 2] = [a + b]
                i += 1
    vocab += ["<|startoftext|>", "<|endoftext|>"]
    os.makedirs(folder, exist_ok=True)
    json.dump({v: i for i, v in enumerate(vocab)}, open(f"{folder}/vocab.json", "w"), ensure_ascii=False)
    with open(f"{folder}/merges.txt", "w") as file:
        file.write("#version: 0.2\n" + "\n".join(f"{a} {b}" for a, b in merges) + "\n")
    end = "<|endoftext|>"
    special = dict(bos_token="<|startoftext|>", eos_token=end, pad_token=end, unk_token=end)
    json.dump(dict(tokenizer_class="CLIPTokenizer", model_max_length=CONTEXT, do_lower_case=True, **special), open(f"{folder}/tokenizer_config.json", "w"), indent=1)
    json.dump(special, open(f"{folder}/special_tokens_map.json", "w"), indent=1)
    return len(vocab), len(merges)


if __name__ == "__main__":
    print("tokens, merges:", train(work("tokenizer", "x")[:-2], corpus()))
