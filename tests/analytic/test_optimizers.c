/* Bytes of a parameter under each optimizer, by hand: the fp32 weight beside a 16-bit one (4), and
 * moments. Adam's update reads 16 bytes and writes 12. */
#include "toy_world.h"

#include "strat_layout.h"
#include "strat_optimizer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const struct {
    StratOptimizer optimizer;
    double state, update;
} rows[] = {
    {STRAT_OPTIMIZER_ADAM,         12.0,                     28.0           },
    {STRAT_OPTIMIZER_ADAM_BF16,    8.0,                      20.0           },
    {STRAT_OPTIMIZER_ADAM_8BIT,    4.0 + 2.0 + 8.0 / 2048.0, 16.0 + 1. / 128},
    {STRAT_OPTIMIZER_SGD,          4.0,                      12.0           },
    {STRAT_OPTIMIZER_SGD_MOMENTUM, 8.0,                      20.0           },
    {STRAT_OPTIMIZER_ADAFACTOR,    4.0 + 8.0 / 1024.0,       16.0           },
    {STRAT_OPTIMIZER_MUON,         8.0,                      24.0           },
};

static double optimizer_bytes(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    return g_array_index(stages, StratMemory, 0).optimizer_bytes;
}

static double params_of(const ToyWorld *world)
{
    StratModelChunk chunk = strat_chunk_at(&world->model, &world->plan, 0, 0);
    return strat_chunk_params(&world->model, &world->plan, &chunk);
}

Test(optimizers, keep_and_move_what_their_papers_say)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ToyWorld world = toy_world();
        world.plan.optimizer = rows[i].optimizer;
        const char *name = strat_optimizer_row(rows[i].optimizer)->name;
        double bytes = optimizer_bytes(&world) / params_of(&world);
        cr_expect(fabs(bytes - rows[i].state) < 1e-9, "%s: %g bytes", name, bytes);
        double update = strat_optimizer_update_bytes(rows[i].optimizer);
        cr_expect(fabs(update - rows[i].update) < 1e-9, "%s: moves %g bytes", name, update);
        world.plan.no_master = true;
        bytes = optimizer_bytes(&world) / params_of(&world);
        cr_expect(fabs(bytes - rows[i].state + 4.0) < 1e-9, "%s alone: %g bytes", name, bytes);
    }
}

/* 5 + 40 + 16 + 4 + ... bytes at 1 TB/s: what differs between two is what their updates move. */
Test(optimizers, take_the_time_of_what_they_move)
{
    ToyWorld adam = toy_world(), sgd = toy_world();
    sgd.plan.optimizer = STRAT_OPTIMIZER_SGD;
    StratCosting one = toy_costing(&adam), other = toy_costing(&sgd);
    double p = 1e9;
    double differs = strat_cost_optimizer_s(&one, p, p) - strat_cost_optimizer_s(&other, p, p);
    cr_expect(fabs(differs / (16.0 * p / 1e12) - 1.0) < 1e-9, "%g s", differs);
}

/* Muon: fifteen products of 2 h^3 FLOPs for h^2 parameters, at 80 % of 100 TFLOP/s. */
Test(optimizers, muon_multiplies)
{
    ToyWorld muon = toy_world(), momentum = toy_world();
    muon.model.hidden = 8192;
    momentum.model.hidden = 8192;
    muon.plan.optimizer = STRAT_OPTIMIZER_MUON;
    momentum.plan.optimizer = STRAT_OPTIMIZER_SGD_MOMENTUM;
    StratCosting one = toy_costing(&muon), other = toy_costing(&momentum);
    double p = 8192.0 * 8192.0 * 10.0;
    double differs = strat_cost_optimizer_s(&one, p, p) - strat_cost_optimizer_s(&other, p, p);
    double want = 15.0 * 10.0 * 2.0 * pow(8192.0, 3.0) / 0.8e14 + 4.0 * p / 1e12;
    cr_expect(fabs(differs / want - 1.0) < 0.05, "%g s, not %g", differs, want);
}

Test(optimizers, have_names_and_sources)
{
    size_t count = 0;
    const StratOptimizerRow *all = strat_optimizer_all(&count);
    cr_assert(count == STRAT_OPTIMIZER_COUNT);
    for (size_t i = 0; i < count; i++)
        cr_expect(strlen(all[i].name) > 0 && strlen(all[i].source) > 10);
}
