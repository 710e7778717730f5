/* The model of a Megatron-LM command line, with the defaults of its arguments.py.
 *
 *   inner width     --ffn-hidden-size, else 4 h; of gated MLPs 4 h x 2 / 3, to a multiple of 64
 *   vocabulary      --vocab-size (of the tokenizer where it is not given), rounded up to a multiple of
 *                   --make-vocab-size-divisible-by (128) x tensor ranks
 *   experts         --moe-layer-freq: a number n (every n-th layer has experts), or a list such as
 *                   [0]*3+[1]*58; leading dense layers alone are modelled
 *   latent attention, where it is on: ranks and widths as DeepSeek's (kv 32, heads 128 + 64, 128)
 *
 * Left out: what the flags' notes say (scen_megatron_flags.c). */
#include "scen_megatron.h"
#include "scen_note.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* Tokens of the vocabularies that come with a tokenizer. */
static const struct {
    const char *type;
    int64_t vocab;
} tokenizers[] = {
    {"GPT2BPETokenizer", 50257 },
    {"Llama2Tokenizer",  32000 },
    {"Llama3Tokenizer",  128256},
};

static int64_t round_up(int64_t value, int64_t step)
{
    return (value + step - 1) / step * step;
}

static int64_t ffn_of(ScenMegatron *m, int64_t hidden, bool gated)
{
    int64_t ffn = gated ? hidden * 4 * 2 / 3 / 64 * 64 : 4 * hidden;
    return scen_megatron_integer(m, "--ffn-hidden-size", 1, MAX(ffn, 1));
}

static int64_t vocab_of(ScenMegatron *m, int64_t tensor)
{
    int64_t padded = scen_megatron_integer(m, "--padded-vocab-size", 1, 0);
    int64_t vocab = scen_megatron_integer(m, "--vocab-size", 1, 0);
    const char *type = scen_megatron_text(m, "--tokenizer-type", "GPT2BPETokenizer");
    for (size_t i = 0; i < G_N_ELEMENTS(tokenizers) && vocab == 0 && padded == 0; i++)
        if (g_str_equal(tokenizers[i].type, type)) {
            vocab = tokenizers[i].vocab;
            scen_note(m->notes, "vocab: no --vocab-size, so that of %s: " I64 " before padding",
                      type, vocab);
        }
    if (vocab == 0 && padded == 0)
        scen_megatron_fail(m, scen_megatron_flag(m, "--tokenizer-type"),
                           "the vocabulary of %s is not known: add --vocab-size N behind --", type);
    int64_t step = scen_megatron_integer(m, "--make-vocab-size-divisible-by", 1, 128);
    return padded > 0 || vocab == 0 ? padded : round_up(vocab, MIN(step, 1 << 20) * tensor);
}

/* Adds @count layers, with experts or without; false when a dense one follows experts. */
static bool add_layers(int64_t count, bool experts, int64_t *dense, bool *seen)
{
    if (!experts && *seen && count > 0)
        return false;
    *dense += experts ? 0 : count;
    *seen = *seen || experts;
    return true;
}

/* Leading dense layers of a list such as ([0]*3+[1]*58). False when others are dense too, or it is
 * no such list. */
static bool read_pattern(const char *text, int64_t *dense)
{
    bool seen = false;
    int64_t total = 0;
    for (const char *at = text; *at;) {
        if (strchr("([,+ '\")", *at)) {
            at++;
            continue;
        }
        if (*at != '0' && *at != '1')
            return false;
        bool experts = *at++ == '1';
        int64_t times = 1;
        if (at[0] == ']' && at[1] == '*') {
            char *end = NULL;
            times = g_ascii_strtoll(at + 2, &end, 10);
            at = end;
        } else {
            at += *at == ']';
        }
        total += times;
        if (times < 0 || total > 100000 || !add_layers(times, experts, dense, &seen))
            return false;
    }
    return total > 0;
}

static int64_t dense_layers(ScenMegatron *m)
{
    const ScenMegatronFlag *flag = scen_megatron_flag(m, "--moe-layer-freq");
    int64_t dense = 0;
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; flag && i < flag->values->len; i++)
        g_string_append(text, ((const ScenShellWord *)flag->values->pdata[i])->text);
    if (!flag || g_str_equal(text->str, "1") || read_pattern(text->str, &dense))
        return dense;
    scen_megatron_fail(m, flag,
                       "layers that alternate between dense and experts are not modelled, leading "
                       "dense layers alone are ([0]*3+[1]*58)");
    return 0;
}

static void write_experts(ScenMegatron *m, int64_t ffn, GString *out)
{
    int64_t experts = scen_megatron_integer(m, "--num-experts", 1, 0);
    if (experts == 0)
        return;
    int64_t width = scen_megatron_integer(m, "--moe-ffn-hidden-size", 1, ffn);
    int64_t shared = scen_megatron_integer(m, "--moe-shared-expert-intermediate-size", 1, 0);
    if (width > 0 && shared % width != 0)
        scen_megatron_fail(m, scen_megatron_flag(m, "--moe-shared-expert-intermediate-size"),
                           "shared experts must be as wide as some routed ones, " I64
                           " is no multiple of " I64,
                           shared, width);
    g_string_append_printf(out,
                           "  experts: " I64 "\n  experts_per_token: " I64 "\n  expert_ffn: " I64
                           "\n  shared_experts: " I64 "\n  dense_layers: " I64 "\n",
                           experts, scen_megatron_integer(m, "--moe-router-topk", 1, 2), width,
                           width > 0 ? shared / width : 0, dense_layers(m));
}

static void write_attention(ScenMegatron *m, int64_t hidden, GString *out)
{
    int64_t heads = scen_megatron_required(m, "--num-attention-heads");
    bool latent = scen_megatron_has(m, "--multi-latent-attention");
    bool grouped = scen_megatron_has(m, "--group-query-attention") && !latent;
    int64_t groups = scen_megatron_integer(m, "--num-query-groups", 1, 1);
    g_string_append_printf(out, "  heads: " I64 "\n  kv_heads: " I64 "\n", heads,
                           grouped ? groups : heads);
    if (latent) {
        int64_t rank = scen_megatron_integer(m, "--q-lora-rank", 1, 0);
        g_string_append_printf(out,
                               "  head_dim: " I64 "\n  rope_head_dim: " I64
                               "\n  value_head_dim: " I64 "\n  q_lora_rank: " I64
                               "\n  kv_lora_rank: " I64 "\n",
                               scen_megatron_integer(m, "--qk-head-dim", 1, 128),
                               scen_megatron_integer(m, "--qk-pos-emb-head-dim", 1, 64),
                               scen_megatron_integer(m, "--v-head-dim", 1, 128), rank,
                               scen_megatron_integer(m, "--kv-lora-rank", 1, 32));
    } else {
        int64_t width = heads > 0 && hidden % heads == 0 ? hidden / heads : 0;
        int64_t channels = scen_megatron_integer(m, "--kv-channels", 1, width);
        if (channels > 0)
            g_string_append_printf(out, "  head_dim: " I64 "\n", channels);
    }
    bool norms = scen_megatron_has(m, "--qk-layernorm") && !latent;
    g_string_append_printf(out, "  qk_norm: %s\n", norms ? "true" : "false");
}

static const char *position_of(ScenMegatron *m)
{
    const char *type = scen_megatron_text(m, "--position-embedding-type", "learned_absolute");
    if (scen_megatron_has(m, "--use-rotary-position-embeddings"))
        type = "rope";
    if (g_str_equal(type, "learned_absolute") && !scen_megatron_has(m, "--no-position-embedding"))
        return "learned";
    if (g_str_equal(type, "none") || g_str_equal(type, "learned_absolute"))
        return "alibi";
    static const char *const rotary[] = {"rope", "mrope", "yarn", NULL};
    if (!g_strv_contains(rotary, type))
        scen_megatron_fail(m, scen_megatron_flag(m, "--position-embedding-type"),
                           "'%s' is not known; known: learned_absolute, rope, mrope, yarn, none",
                           type);
    return "rotary";
}

void scen_megatron_model(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    bool gated = scen_megatron_has(m, "--swiglu") || scen_megatron_has(m, "--geglu");
    int64_t hidden = scen_megatron_required(m, "--hidden-size");
    int64_t ffn = ffn_of(m, hidden, gated);
    bool plain = scen_megatron_has(m, "--disable-bias-linear");
    bool rms =
        g_ascii_strcasecmp(scen_megatron_text(m, "--normalization", "LayerNorm"), "RMSNorm") == 0;
    g_string_append_printf(
        out,
        "model:\n  name: megatron\n  source: Megatron-LM command line\n  layers: " I64
        "\n  hidden: " I64 "\n  ffn: " I64 "\n",
        shape->layers, hidden, ffn);
    write_attention(m, hidden, out);
    g_string_append_printf(out, "  vocab: " I64 "    # padded\n", vocab_of(m, shape->tensor));
    int64_t longest = scen_megatron_integer(m, "--max-position-embeddings", 1, 0);
    if (longest > 0)
        g_string_append_printf(out, "  max_sequence: " I64 "\n", longest);
    bool untied = scen_megatron_has(m, "--untie-embeddings-and-output-weights");
    g_string_append_printf(
        out, "  gated_mlp: %s\n  tied_embeddings: %s\n  bias: %s\n  position: %s\n  norm: %s\n",
        gated ? "true" : "false", untied ? "false" : "true",
        !plain                                   ? "all"
        : scen_megatron_has(m, "--add-qkv-bias") ? "qkv"
                                                 : "none",
        position_of(m), rms ? "rmsnorm" : "layernorm");
    write_experts(m, ffn, out);
}
