/* A deployment that keeps its objectives.
 *
 * As few GPUs a replica as hold the model and meet the objectives of an interactive service under
 * light traffic (a tenth of a request a second and replica), tensor-parallel inside a scale-up
 * domain and pipeline beyond, the rest replicas; then the rate of requests is doubled while the
 * simulated deployment keeps its objectives for two minutes of traffic. Where no replica is quick
 * enough the objectives are loosened, step by step: first those of MLPerf Inference 5.0 for Llama 2
 * 70B interactive (TTFT 450 ms, TPOT 40 ms) and its server scenario (2 s, 200 ms), then ten times
 * that. Prompts and answers are of the lengths of the scenario that ships for Llama 3.1 70B. */
#include "scen_draft.h"

#include "scen_answer.h"
#include "scen_errors.h"

#define I64 "%" G_GINT64_FORMAT

enum { REQUESTS_LEAST = 500, SECONDS = 120, INPUT = 1024, OUTPUT = 256 };

static const double LIGHT_PER_S = 0.1;
static const double MOST_PER_S = 50.0; /* a start, not a record: simulations stay short */

static const struct {
    const char *ttft, *tpot;
} objectives[] = {
    {"450 ms", "40 ms" },
    {"2 s",    "200 ms"},
    {"20 s",   "2 s"   },
};

/* GPUs of a replica, and what it promises. */
typedef struct Choice {
    int64_t tensor, pipeline;
    size_t objective;
} Choice;

static ScenDraft *draft_of(const ScenDraftAsk *ask, const Choice *choice, double rate)
{
    ScenDraft *draft = scen_draft_new();
    bool has_bf16 = ask->node.gpu.peak_flop_per_s[TOPO_DTYPE_BF16] > 0.0;
    int64_t longest = ask->model.max_sequence > 0 ? ask->model.max_sequence : INPUT + OUTPUT;
    scen_draft_put(draft, "model", "%s", ask->model_name);
    scen_draft_put(draft, "cluster.node", "%s", ask->node_name);
    scen_draft_put(draft, "cluster.gpus", I64, ask->gpus);
    scen_draft_put(draft, "serve.engine", "vllm-v1");
    scen_draft_put(draft, "serve.tensor", I64, choice->tensor);
    if (choice->pipeline > 1)
        scen_draft_put(draft, "serve.pipeline", I64, choice->pipeline);
    scen_draft_put(draft, "serve.weights", has_bf16 ? "bf16" : "fp16");
    scen_draft_put(draft, "serve.kv", has_bf16 ? "bf16" : "fp16");
    scen_draft_put(draft, "serve.slo.ttft", "%s", objectives[choice->objective].ttft);
    scen_draft_put(draft, "serve.slo.tpot", "%s", objectives[choice->objective].tpot);
    scen_draft_put(draft, "traffic.arrivals", "poisson");
    scen_draft_put(draft, "traffic.rate", "%g /s", rate);
    scen_draft_put(draft, "traffic.requests", "%.0f", MAX(REQUESTS_LEAST, SECONDS * rate));
    scen_draft_put(draft, "traffic.input", I64, MIN(INPUT, longest / 2));
    scen_draft_put(draft, "traffic.output", I64, MIN(OUTPUT, longest / 4));
    return draft;
}

/* Does it keep its objectives? */
static bool holds(const ScenDraft *draft, GError **error)
{
    g_autoptr(ScenScenario) scenario = scen_draft_load(draft, error);
    if (!scenario)
        return false;
    const ScenAnswerWants wants = {0};
    g_autoptr(ScenAnswer) answer = scen_answer_new(scenario, &wants, error);
    return answer && answer->holds;
}

/* The draft of @choice with the most traffic that it holds; NULL when it holds none, with @error when
 * there is a reason for it. */
static ScenDraft *find_rate(const ScenDraftAsk *ask, const Choice *choice, GError **error)
{
    double rate = LIGHT_PER_S * (double)(ask->gpus / (choice->tensor * choice->pipeline));
    g_autoptr(ScenDraft) best = NULL;
    for (; !best || rate <= MOST_PER_S; rate *= 2.0) {
        g_autoptr(ScenDraft) draft = draft_of(ask, choice, rate);
        if (!holds(draft, best ? NULL : error))
            break;
        scen_draft_free(best);
        best = g_steal_pointer(&draft);
    }
    return g_steal_pointer(&best);
}

ScenDraft *scen_draft_serve(const ScenDraftAsk *ask, GError **error)
{
    g_autoptr(GError) last = NULL;
    int64_t domain = MAX(ask->node.scale_up_gpus, ask->node.gpus);
    for (size_t o = 0; o < G_N_ELEMENTS(objectives); o++)
        for (int64_t cut = 1; ask->gpus % cut == 0; cut *= 2) {
            Choice choice = {.tensor = cut, .pipeline = 1, .objective = o};
            for (; choice.tensor > domain; choice.tensor /= 2)
                choice.pipeline *= 2;
            g_clear_error(&last);
            ScenDraft *found = find_rate(ask, &choice, &last);
            if (found)
                return found;
        }
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_NO_FIT,
                "no deployment of %s on " I64 " GPUs of %s holds: %s", ask->model_name, ask->gpus,
                ask->node_name, last ? last->message : "each misses its objectives");
    return NULL;
}
