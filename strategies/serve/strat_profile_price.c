/* Iterations by an engine's own kernel profile.
 *
 * The profiler of LLMServingSim (Cho 2024, IISWC; casys-kaist/LLMServingSim, profiler/) runs vLLM
 * with one layer, eagerly, and times each module:
 *
 *   dense         by the tokens of the iteration. A layer runs its norm twice and each of qkv_proj,
 *                 qk_norm, rotary_emb, o_proj, gate_up_proj, act_fn and down_proj once; an
 *                 iteration runs embedding and final_layernorm once
 *   per_sequence  lm_head and sampler, by the sequences that sample
 *   attention     by (tokens of a prompt, its tokens in the cache, decodes, their context) jointly
 *   moe           by the tokens and the experts that they touch
 *
 * Between points everything is linear: costs are sums of what is computed and what is read, and a
 * logarithmic axis adds 12 to 14 % between powers of two. A grid need not be whole: each chunk has
 * its own list of decodes, each of these its own list of pasts, and so on; an axis is bracketed
 * within what was measured there.
 *
 * Several prompts in one iteration: the profile has one at a time. Decodes run in another kernel
 * beside a prompt than alone, and slower, however many prompts there are: the largest chunk is
 * looked up together with the decodes. Attention does not cross prompts, so each other one adds
 * what it takes alone, without the launch (a chunk of nothing):
 *
 *   attention = A(largest chunk, decodes) + sum over the others of (A(chunk) - A(nothing))
 *
 * Unequal contexts. Decodes of the same mean take longer when one is long (tiles are padded, SMs
 * wait): t = t(mean) + alpha (t(longest) - t(mean)), alpha measured in bins of decodes, of how far
 * the mean lies between the shortest and the longest, and of the longest. The batch does not know
 * its shortest: a context has just begun somewhere, so 0 stands for it. Beside prompts alpha was
 * fitted from -0.4 to 0.4 with two samples a bin: no correction there.
 *
 * Left out: whatever torch.compile and graphs gain or cost against the eager modules (the host's
 * step takes that up). */
#include "strat_profile_price.h"

#include "strat_schedule.h"

#include <math.h>

/* A value on an axis and the finer tables behind it. */
typedef struct Node {
    double at;
    GArray *inner;           /* of Node; NULL at the last axis */
    StratProfileCurve curve; /* at the last axis */
} Node;

typedef struct Skew {
    double decodes, rate, longest, alpha;
} Skew;

struct StratProfile {
    StratProfileCurve curve[STRAT_PROFILE_LAYERS];
    GArray *attention; /* of Node: chunk, decodes, past, context */
    GArray *experts;   /* of Node: touched, tokens */
    GArray *skew;      /* of Skew */
};

enum { LINEAR, PASS, HEAD };

/* What a layer is, and how often it runs: in every transformer layer, once an iteration. */
static const struct {
    const char *name;
    int kind;
    double a_layer, once;
    bool optional;
} layers[] = {
    [STRAT_PROFILE_EMBEDDING] = {"embedding",       PASS,   0.0, 1.0, false},
    [STRAT_PROFILE_NORM] = {"layernorm",       PASS,   2.0, 0.0, false},
    [STRAT_PROFILE_QKV] = {"qkv_proj",        LINEAR, 1.0, 0.0, false},
    [STRAT_PROFILE_QK_NORM] = {"qk_norm",         PASS,   1.0, 0.0, true },
    [STRAT_PROFILE_ROTARY] = {"rotary_emb",      PASS,   1.0, 0.0, true },
    [STRAT_PROFILE_OUT] = {"o_proj",          LINEAR, 1.0, 0.0, false},
    [STRAT_PROFILE_UP] = {"gate_up_proj",    LINEAR, 1.0, 0.0, true },
    [STRAT_PROFILE_ACTIVATION] = {"act_fn",          PASS,   1.0, 0.0, true },
    [STRAT_PROFILE_DOWN] = {"down_proj",       LINEAR, 1.0, 0.0, true },
    [STRAT_PROFILE_FINAL_NORM] = {"final_layernorm", PASS,   0.0, 1.0, false},
    [STRAT_PROFILE_HEAD] = {"lm_head",         HEAD,   0.0, 1.0, false},
    [STRAT_PROFILE_SAMPLER] = {"sampler",         HEAD,   0.0, 1.0, true },
};
G_STATIC_ASSERT(G_N_ELEMENTS(layers) == STRAT_PROFILE_LAYERS);

const char *strat_profile_layer_name(StratProfileLayer layer)
{
    return layers[layer].name;
}

static double value(const GArray *array, guint i)
{
    return g_array_index(array, double, i);
}

/* The pair of @count places around @x, and how far it lies between them. */
static guint bracket(const void *axis, guint count, size_t stride, double x, double *share)
{
    const char *at = axis;
    guint low = 0, high = count - 1;
    *share = 0.0;
    if (count < 2 || x <= *(const double *)at)
        return 0;
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (*(const double *)(at + middle * stride) <= x)
            low = middle;
        else
            high = middle;
    }
    double first = *(const double *)(at + low * stride);
    *share = (x - first) / (*(const double *)(at + high * stride) - first);
    return low;
}

double strat_profile_curve_s(const StratProfileCurve *curve, double x)
{
    if (!curve->at || curve->at->len == 0)
        return 0.0;
    double share;
    guint low = bracket(curve->at->data, curve->at->len, sizeof(double), x, &share);
    double first = value(curve->seconds, low);
    return share > 0.0 ? first + share * (value(curve->seconds, low + 1) - first) : first;
}

void strat_profile_curve_add(StratProfileCurve *curve, double at, double seconds)
{
    if (!curve->at) {
        curve->at = g_array_new(FALSE, FALSE, sizeof(double));
        curve->seconds = g_array_new(FALSE, FALSE, sizeof(double));
    }
    if (curve->at->len > 0 && value(curve->at, curve->at->len - 1) >= at) {
        g_array_index(curve->seconds, double, curve->seconds->len - 1) = seconds;
        return;
    }
    g_array_append_val(curve->at, at);
    g_array_append_val(curve->seconds, seconds);
}

static void curve_clear(StratProfileCurve *curve)
{
    if (curve->at)
        g_array_free(curve->at, TRUE);
    if (curve->seconds)
        g_array_free(curve->seconds, TRUE);
}

static void node_clear(void *data)
{
    Node *node = data;
    if (node->inner)
        g_array_free(node->inner, TRUE);
    curve_clear(&node->curve);
}

static GArray *nodes_new(void)
{
    GArray *nodes = g_array_new(FALSE, TRUE, sizeof(Node));
    g_array_set_clear_func(nodes, node_clear);
    return nodes;
}

/* The last node of @nodes when it is at @at, else another after it. */
static Node *node_at(GArray *nodes, double at, bool inner)
{
    if (nodes->len > 0 && g_array_index(nodes, Node, nodes->len - 1).at >= at)
        return &g_array_index(nodes, Node, nodes->len - 1);
    Node node = {.at = at, .inner = inner ? nodes_new() : NULL};
    g_array_append_val(nodes, node);
    return &g_array_index(nodes, Node, nodes->len - 1);
}

/* @axes values, one for each axis of the table below @nodes. */
static double lookup(const GArray *nodes, const double *axes)
{
    if (nodes->len == 0)
        return 0.0;
    double share, found[2];
    guint low = bracket(nodes->data, nodes->len, sizeof(Node), axes[0], &share);
    for (guint i = 0; i < (share > 0.0 ? 2 : 1); i++) {
        const Node *node = &g_array_index(nodes, Node, low + i);
        found[i] = node->inner ? lookup(node->inner, axes + 1)
                               : strat_profile_curve_s(&node->curve, axes[1]);
    }
    return share > 0.0 ? found[0] + share * (found[1] - found[0]) : found[0];
}

StratProfile *strat_profile_new(void)
{
    StratProfile *profile = g_new0(StratProfile, 1);
    profile->attention = nodes_new();
    profile->experts = nodes_new();
    profile->skew = g_array_new(FALSE, FALSE, sizeof(Skew));
    return profile;
}

void strat_profile_free(StratProfile *profile)
{
    if (!profile)
        return;
    for (int i = 0; i < STRAT_PROFILE_LAYERS; i++)
        curve_clear(&profile->curve[i]);
    g_array_free(profile->attention, TRUE);
    g_array_free(profile->experts, TRUE);
    g_array_free(profile->skew, TRUE);
    g_free(profile);
}

StratProfileCurve *strat_profile_of(StratProfile *profile, StratProfileLayer layer)
{
    return &profile->curve[layer];
}

void strat_profile_add_attention(StratProfile *profile, double chunk, double decodes, double past,
                                 double context, double seconds)
{
    Node *of_chunk = node_at(profile->attention, chunk, true);
    Node *of_decodes = node_at(of_chunk->inner, decodes, true);
    Node *of_past = node_at(of_decodes->inner, past, false);
    strat_profile_curve_add(&of_past->curve, context, seconds);
}

void strat_profile_add_experts(StratProfile *profile, double touched, double tokens, double seconds)
{
    strat_profile_curve_add(&node_at(profile->experts, touched, false)->curve, tokens, seconds);
}

void strat_profile_add_skew(StratProfile *profile, double decodes, double rate, double longest,
                            double alpha)
{
    Skew row = {.decodes = decodes, .rate = rate, .longest = longest, .alpha = alpha};
    g_array_append_val(profile->skew, row);
}

bool strat_profile_check(const StratProfile *profile, GError **error)
{
    for (int i = 0; i < STRAT_PROFILE_LAYERS; i++) {
        if (layers[i].optional || profile->curve[i].at)
            continue;
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, "the profile has no rows of %s",
                    layers[i].name);
        return false;
    }
    if (profile->attention->len > 0)
        return true;
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, "the profile has no attention");
    return false;
}

void strat_profile_tokens(const StratProfile *profile, const ModelSpec *model, double tokens,
                          double *linear_s, double *passes_s)
{
    double *sums[] = {[LINEAR] = linear_s, [PASS] = passes_s};
    double dense = (double)(model->experts > 0 ? model->dense_layers : model->layers);
    *linear_s = *passes_s = 0.0;
    for (int i = 0; i < STRAT_PROFILE_LAYERS; i++) {
        if (layers[i].kind == HEAD)
            continue;
        bool of_mlp = i >= STRAT_PROFILE_UP && i <= STRAT_PROFILE_DOWN;
        double times = layers[i].a_layer * (of_mlp ? dense : (double)model->layers);
        *sums[layers[i].kind] +=
            (times + layers[i].once) * strat_profile_curve_s(&profile->curve[i], tokens);
    }
}

double strat_profile_head_s(const StratProfile *profile, double sequences)
{
    return strat_profile_curve_s(&profile->curve[STRAT_PROFILE_HEAD], sequences) +
           strat_profile_curve_s(&profile->curve[STRAT_PROFILE_SAMPLER], sequences);
}

static double joint_s(const StratProfile *profile, double chunk, double decodes, double past,
                      double context)
{
    const double axes[] = {chunk, decodes, past, context};
    return lookup(profile->attention, axes);
}

static double alpha_of(const StratProfile *profile, const StratBatch *batch)
{
    double decodes = (double)batch->decodes, rate = batch->context / batch->longest;
    const Skew *best = NULL;
    for (guint i = 0; i < profile->skew->len; i++) {
        const Skew *row = &g_array_index(profile->skew, Skew, i);
        if (decodes > row->decodes || rate > row->rate || batch->longest > row->longest)
            continue;
        if (!best || row->decodes < best->decodes ||
            (row->decodes <= best->decodes &&
             (row->rate < best->rate || (row->rate <= best->rate && row->longest < best->longest))))
            best = row;
    }
    return best ? best->alpha : 0.0;
}

static double decodes_s(const StratProfile *profile, const StratBatch *batch)
{
    double decodes = (double)(batch->decodes * batch->decode_tokens);
    double mean = joint_s(profile, 0.0, decodes, 0.0, batch->context);
    if (batch->decodes <= 1 || batch->longest <= batch->context || batch->chunks > 0)
        return mean;
    double longest = joint_s(profile, 0.0, decodes, 0.0, batch->longest);
    return mean + fmax(0.0, longest - mean) * alpha_of(profile, batch);
}

/* The chunk with the most pairs of a query and a key. */
static const StratChunk *largest_of(const StratBatch *batch)
{
    const StratChunk *largest = NULL;
    double most = 0.0;
    for (size_t i = 0; i < batch->chunks; i++) {
        const StratChunk *chunk = &batch->chunk[i];
        double pairs = (double)chunk->tokens * (double)(chunk->past + chunk->tokens);
        if (pairs > most) {
            most = pairs;
            largest = chunk;
        }
    }
    return largest;
}

void strat_profile_attention(const StratProfile *profile, const StratBatch *batch,
                             double *prefill_s, double *decode_s)
{
    double decodes = (double)(batch->decodes * batch->decode_tokens);
    *decode_s = batch->decodes > 0 ? decodes_s(profile, batch) : 0.0;
    *prefill_s = 0.0;
    const StratChunk *largest = largest_of(batch);
    if (!largest)
        return;
    double together =
        joint_s(profile, (double)largest->tokens, decodes, (double)largest->past, batch->context);
    double nothing = batch->chunks > 1 ? joint_s(profile, 0.0, 0.0, 0.0, 0.0) : 0.0;
    for (size_t i = 0; i < batch->chunks; i++) {
        const StratChunk *chunk = &batch->chunk[i];
        if (chunk != largest)
            *prefill_s +=
                fmax(0.0, joint_s(profile, (double)chunk->tokens, 0.0, (double)chunk->past, 0.0) -
                              nothing);
    }
    *prefill_s += fmax(0.0, together - *decode_s);
}

double strat_profile_experts_s(const StratProfile *profile, double touched, double tokens)
{
    const double axes[] = {touched, tokens};
    return lookup(profile->experts, axes);
}
