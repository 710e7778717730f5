/*
 * Seconds that a training step takes to load, compile, run and account for: the trillion-parameter
 * plan of 3,072 GPUs and Llama 3.1 405B on 16,384, folded; the same with one slow GPU, and with one
 * weak NIC; then the first one again with every GPU simulated. Peak memory is that of the process
 * so far, so the last line tells what the unfolded run needs. With --quick, one repeat and only
 * what is folded. Exits 1 only when a plan does not run at all.
 */
#include "scen_simulate.h"

#include "sim_ledger.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *const scenarios[] = {"gpt-1t-3072", "llama-3.1-405b-16384"};

enum { REPEATS = 5 };

/* Microseconds at the end of each phase, from its start. */
typedef struct Phases {
    int64_t load, compile, run, ledger;
} Phases;

/* What one passage came to. */
typedef struct Passage {
    Phases us;
    uint32_t ops;
    int64_t gpus, classes;
    SimTime step_ns;
} Passage;

static int64_t lap(int64_t *since)
{
    int64_t now = g_get_monotonic_time(), passed = now - *since;
    *since = now;
    return passed;
}

static SimRun *run_step(const StratCosting *costing, const StratStep *step, GError **error)
{
    const GArray *transfers = step->transfers->transfers;
    SimNet *net = topo_sim_net_new(costing->net, costing->cluster,
                                   (const TopoTransfer *)transfers->data, transfers->len, error);
    SimRun *run = net ? sim_exec_run(step->program, net, error) : NULL;
    topo_sim_net_free(net);
    return run;
}

/* One passage through all phases; false and @error when it stops short. */
static bool pass(const char *name, const StratJobState *state, bool fold, Passage *passage,
                 GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/scenarios/training/%s.yaml", TEST_SOURCE_DIR, name);
    int64_t since = g_get_monotonic_time();
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, NULL, error);
    StratCosting costing;
    if (!scenario || !scen_costing(scenario, &costing, error))
        return false;
    costing.state = state;
    passage->us.load = lap(&since);
    g_autoptr(StratStep) step = strat_compile(&costing, fold, error);
    if (!step)
        return false;
    passage->us.compile = lap(&since);
    g_autoptr(SimRun) run = run_step(&costing, step, error);
    if (!run)
        return false;
    passage->us.run = lap(&since);
    g_autoptr(SimLedger) ledger = sim_ledger_new(step->program, run, error);
    if (!ledger)
        return false;
    passage->us.ledger = lap(&since);
    passage->ops = sim_program_op_count(step->program);
    passage->gpus = step->fold->ranks;
    passage->classes = step->fold->classes;
    passage->step_ns = run->makespan;
    return true;
}

static double peak_megabytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024.0 * 1e-6;
}

static int64_t total_us(const Passage *p)
{
    return p->us.load + p->us.compile + p->us.run + p->us.ledger;
}

static void print(const char *name, const char *what, const Passage *p)
{
    double total = (double)total_us(p);
    printf("strat_step %s %s: %.4f s (load %.1f ms, compile %.1f, run %.1f, ledger %.1f), "
           "%d classes of %d GPUs, %u ops, %.1f M ops/s run, %.1f M ops/s in all, peak %.0f MB, "
           "step %.9f s\n",
           name, what, total * 1e-6, (double)p->us.load * 1e-3, (double)p->us.compile * 1e-3,
           (double)p->us.run * 1e-3, (double)p->us.ledger * 1e-3, (int)p->classes, (int)p->gpus,
           p->ops, (double)p->ops / (double)p->us.run, (double)p->ops / total, peak_megabytes(),
           sim_time_to_seconds(p->step_ns));
}

/* The quickest of @repeats passages in @state, which is called @what. */
static bool bench(const char *name, const char *what, const StratJobState *state, bool fold,
                  int repeats)
{
    g_autoptr(GError) error = NULL;
    Passage best = {0};
    for (int i = 0; i < repeats; i++) {
        Passage passage = {0};
        if (!pass(name, state, fold, &passage, &error)) {
            printf("strat_step %s: %s\n", name, error->message);
            return false;
        }
        if (i == 0 || total_us(&passage) < total_us(&best))
            best = passage;
    }
    print(name, what, &best);
    return true;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const StratSlowGpu gpu = {1000, 0.8};
    const StratWeakNic nic = {100, 3, 0.5};
    const struct {
        const char *what;
        StratJobState state;
    } states[] = {
        {"folded",               {.slow_count = 0}              },
        {"folded, one slow GPU", {.slow = &gpu, .slow_count = 1}},
        {"folded, one weak NIC", {.weak = &nic, .weak_count = 1}},
    };
    bool ran = true;
    for (size_t s = 0; s < G_N_ELEMENTS(states); s++) {
        for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++)
            ran &= bench(scenarios[i], states[s].what, &states[s].state, true, quick ? 1 : REPEATS);
    }
    if (!quick)
        ran &= bench(scenarios[0], "unfolded", NULL, false, 1);
    return ran ? 0 : 1;
}
