/* A plan that fits.
 *
 * The rule, as practice has it (Narayanan et al. 2021, arXiv 2104.04473, section 3 takeaways; Llama 3,
 * arXiv 2407.21783, section 3.3.2): cut the model over as few GPUs as hold it, tensor-parallel inside
 * a scale-up domain first, pipeline beyond, the rest data-parallel; recompute only where nothing else
 * fits. Layouts are tried in that order, by the memory model of `orrery run`; of the first SIMULATED
 * that fit the one of the most tokens a second is kept, by simulation, and its microbatch doubled
 * while that fits and helps.
 *
 * The batch of a step is that of GPT-3 at the model's size (Brown et al. 2020, arXiv 2005.14165, Table
 * 2.1). It leaves out what `orrery search` looks at: context parallelism, ZeRO stages, schedules. */
#include "scen_draft.h"

#include "model_params.h"
#include "scen_errors.h"
#include "scen_simulate.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

enum {
    SIMULATED = 6,
    CHUNKS_MOST = 8,
    MICRO_MOST = 16,
    SEQUENCE_MOST = 8192,   /* Llama 3's pre-training */
    SEQUENCE_DEFAULT = 2048 /* GPT-3's */
};

/* Brown et al. 2020, Table 2.1: parameters, and tokens of a batch. */
static const struct {
    double parameters, tokens;
} batches[] = {
    {760e6,    0.5e6},
    {2.7e9,    1e6  },
    {13e9,     2e6  },
    {INFINITY, 3.2e6},
};

typedef struct Layout {
    int64_t tensor, pipeline, expert, micro;
    const char *recompute;
} Layout;

static bool has_bf16(const ScenDraftAsk *ask)
{
    return ask->node.gpu.peak_flop_per_s[TOPO_DTYPE_BF16] > 0.0;
}

/* GPUs without bf16 are older than FlashAttention: all scores are in memory. */
static int64_t sequence_of(const ScenDraftAsk *ask)
{
    int64_t longest = ask->model.max_sequence;
    int64_t most = longest > 0 && has_bf16(ask) ? SEQUENCE_MOST : SEQUENCE_DEFAULT;
    return longest > 0 ? MIN(longest, most) : most;
}

static int64_t batch_of(const ScenDraftAsk *ask, const Layout *layout)
{
    double parameters = (double)model_params_count(&ask->model).total;
    size_t row = 0;
    while (batches[row].parameters < parameters)
        row++;
    double sequences = batches[row].tokens / (double)sequence_of(ask);
    int64_t wanted = (int64_t)1 << lround(log2(sequences));
    int64_t data = ask->gpus / (layout->tensor * layout->pipeline);
    int64_t a_replica = MAX(wanted / (data * layout->micro), 1);
    /* Interleaving deals microbatches in rounds of the stages; four rounds keep the bubble small. */
    if (layout->pipeline > 1)
        a_replica =
            MAX((a_replica + layout->pipeline - 1) / layout->pipeline, 4) * layout->pipeline;
    return a_replica * data * layout->micro;
}

/* Deals layers to stages: the embedding and the head take a layer's place where that makes it even.
 * False when it cannot be even. */
static bool put_stages(ScenDraft *draft, const ModelSpec *model, int64_t pipeline)
{
    int64_t places = model->layers;
    while (places % pipeline != 0 && places < model->layers + 2)
        places++;
    if (places % pipeline != 0)
        return false;
    if (places > model->layers)
        scen_draft_put(draft, "plan.count_head", "true");
    if (places > model->layers + 1)
        scen_draft_put(draft, "plan.count_embedding", "true");
    int64_t chunks = 2;
    while (chunks <= CHUNKS_MOST && places / pipeline % chunks != 0)
        chunks++;
    if (pipeline > 1 && chunks <= CHUNKS_MOST)
        scen_draft_put(draft, "plan.virtual_stages", I64, chunks);
    return true;
}

static ScenDraft *draft_of(const ScenDraftAsk *ask, const Layout *layout)
{
    g_autoptr(ScenDraft) draft = scen_draft_new();
    scen_draft_put(draft, "model", "%s", ask->model_name);
    scen_draft_put(draft, "cluster.node", "%s", ask->node_name);
    scen_draft_put(draft, "cluster.gpus", I64, ask->gpus);
    scen_draft_put(draft, "plan.base", "%s", has_bf16(ask) ? "nemo-2025" : "megatron-lm-2022");
    scen_draft_put(draft, "plan.tensor", I64, layout->tensor);
    scen_draft_put(draft, "plan.pipeline", I64, layout->pipeline);
    if (!put_stages(draft, &ask->model, layout->pipeline))
        return NULL;
    if (ask->model.experts > 0)
        scen_draft_put(draft, "plan.expert", I64, layout->expert);
    scen_draft_put(draft, "plan.sequence_length", I64, sequence_of(ask));
    scen_draft_put(draft, "plan.micro_batch", I64, layout->micro);
    scen_draft_put(draft, "plan.global_batch", I64, batch_of(ask, layout));
    scen_draft_put(draft, "plan.recompute", "%s", layout->recompute);
    return g_steal_pointer(&draft);
}

/* Tokens a second of @layout; 0 when it is no plan or does not fit. Without @simulated only 1. */
static double rate_of(const ScenDraftAsk *ask, const Layout *layout, bool simulated)
{
    g_autoptr(ScenDraft) draft = draft_of(ask, layout);
    g_autoptr(ScenScenario) scenario = draft ? scen_draft_load(draft, NULL) : NULL;
    StratCosting costing;
    if (!scenario || !scen_costing(scenario, &costing, NULL))
        return 0.0;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    if (!strat_memory_fits(memory))
        return 0.0;
    if (!simulated)
        return 1.0;
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, NULL);
    return result ? result->tokens / sim_time_to_seconds(result->step_ns) : 0.0;
}

/* The most ranks, a power of two up to @most, that share @experts out. */
static int64_t expert_ranks(int64_t experts, int64_t most)
{
    int64_t ranks = 1;
    while (experts > 0 && experts % (2 * ranks) == 0 && 2 * ranks <= most)
        ranks *= 2;
    return ranks;
}

/* Adds the layouts of @cut GPUs a replica that fit, until there are enough. */
static void add_fitting(const ScenDraftAsk *ask, int64_t cut, const char *recompute,
                        GArray *fitting)
{
    int64_t domain = MAX(ask->node.scale_up_gpus, ask->node.gpus);
    for (int64_t tensor = cut; tensor >= 1; tensor /= 2) {
        int64_t data = ask->gpus / cut;
        int64_t near = expert_ranks(ask->model.experts, MIN(data, domain));
        int64_t far = expert_ranks(ask->model.experts, data);
        if (tensor > domain || ask->model.heads % tensor != 0 || cut / tensor > ask->model.layers)
            continue;
        for (int64_t expert = near; expert <= far; expert = expert < far ? far : far + 1) {
            Layout layout = {tensor, cut / tensor, expert, 1, recompute};
            if (fitting->len < SIMULATED && rate_of(ask, &layout, false) > 0.0)
                g_array_append_val(fitting, layout);
        }
    }
}

static bool find_layout(const ScenDraftAsk *ask, Layout *best)
{
    static const char *const recomputes[] = {"none", "selective", "full"};
    g_autoptr(GArray) fitting = g_array_new(FALSE, FALSE, sizeof(Layout));
    for (size_t r = 0; r < G_N_ELEMENTS(recomputes) && fitting->len == 0; r++)
        for (int64_t cut = 1; ask->gpus % cut == 0 && fitting->len < SIMULATED; cut *= 2)
            add_fitting(ask, cut, recomputes[r], fitting);
    double most = 0.0;
    for (guint i = 0; i < fitting->len; i++) {
        const Layout *layout = &g_array_index(fitting, Layout, i);
        double rate = rate_of(ask, layout, true);
        if (rate > most)
            *best = *layout;
        most = MAX(most, rate);
    }
    for (int64_t micro = 2; most > 0.0 && micro <= MICRO_MOST; micro *= 2) {
        Layout larger = *best;
        larger.micro = micro;
        double rate = rate_of(ask, &larger, true);
        if (rate <= most)
            break;
        most = rate;
        *best = larger;
    }
    return most > 0.0;
}

ScenDraft *scen_draft_train(const ScenDraftAsk *ask, GError **error)
{
    Layout layout = {0};
    if (!find_layout(ask, &layout)) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_NO_FIT,
                    "no plain layout of %s fits on " I64 " GPUs of %s: take more GPUs or a smaller "
                    "model",
                    ask->model_name, ask->gpus, ask->node_name);
        return NULL;
    }
    return draft_of(ask, &layout);
}

ScenDraft *scen_draft_survive(const ScenDraftAsk *ask, GError **error)
{
    enum { NODES_A_SPARE = 64 }; /* 32 stood by for 2,048 nodes of Llama 3 here, as a start */
    ScenDraft *draft = scen_draft_train(ask, error);
    if (!draft)
        return NULL;
    int64_t nodes = (ask->gpus + ask->node.gpus - 1) / ask->node.gpus;
    scen_draft_put(draft, "campaign.duration", "30 d");
    scen_draft_put(draft, "campaign.faults", "llama3-h100");
    scen_draft_put(draft, "campaign.storage", "fleet-median");
    scen_draft_put(draft, "campaign.checkpoint.interval", "30 min");
    scen_draft_put(draft, "campaign.recovery.policy", "restart");
    scen_draft_put(draft, "campaign.recovery.detection", "1 min");
    scen_draft_put(draft, "campaign.recovery.hang_detection", "10 min");
    scen_draft_put(draft, "campaign.recovery.restart", "7 min");
    scen_draft_put(draft, "campaign.spares.nodes", I64,
                   (nodes + NODES_A_SPARE - 1) / NODES_A_SPARE);
    scen_draft_put(draft, "campaign.spares.repair", "1 d");
    return draft;
}
