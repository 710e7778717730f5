/* The table of costs. A GPU-hour is rented (`gpu_hour`, `instance_hour`), in which case its energy
 * is the landlord's, or bought (`purchase` written off over `years`), in which case energy comes on
 * top.
 */
#include "scen_cost.h"
#include "scen_fields.h"

static const ScenName terms[] = {
    {"on-demand", 0},
    {"reserved",  0},
    {"spot",      0},
    {"assumed",   0},
    {NULL,        0},
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenCost, member, of_kind, __VA_ARGS__)

static const ScenField power_fields[] = {
    FIELD("idle", idle_w, SCEN_QUANTITY, .dimension = SCEN_POWER_W,
          .help = "of a GPU without an iteration, in W (default: as under load)"),
    FIELD("load", load_w, SCEN_QUANTITY, .dimension = SCEN_POWER_W,
          .help = "of a GPU in an iteration, in W (default: the GPU's power)"),
};

static const ScenTable power_table = {
    .what = "power",
    .fields = power_fields,
    .count = G_N_ELEMENTS(power_fields),
    .size = sizeof(ScenCost),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenCost *cost = out;
    bool rents = cost->gpu_usd_per_h > 0.0, instance = cost->instance_usd_per_h > 0.0;
    bool buys = cost->purchase_usd > 0.0;
    if (rents + instance + buys > 1)
        scen_bind_fail(binder, map, buys ? "purchase" : "instance_hour",
                       "a GPU-hour has one price: gpu_hour, instance_hour or purchase");
    if (instance && cost->instance_gpus == 0)
        scen_bind_fail(binder, map, "instance_hour", "instance_hour needs instance_gpus");
    else if (instance && !rents)
        cost->gpu_usd_per_h = cost->instance_usd_per_h / (double)cost->instance_gpus;
    if (buys && cost->years == 0.0)
        scen_bind_fail(binder, map, "purchase", "purchase needs years (to write it off over)");
}

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", source, SCEN_TEXT, .help = "where the price comes from"),
    FIELD("date", date, SCEN_TEXT, .help = "when it held"),
    FIELD("terms", terms, SCEN_TEXT, .names = terms, .help = "of the rent"),
    FIELD("gpu_hour", gpu_usd_per_h, SCEN_QUANTITY, .dimension = SCEN_PRICE_USD_PER_H,
          .help = "rent of one GPU, in $ an hour"),
    FIELD("instance_hour", instance_usd_per_h, SCEN_QUANTITY, .dimension = SCEN_PRICE_USD_PER_H,
          .help = "rent of instance_gpus GPUs, in $ an hour"),
    FIELD("instance_gpus", instance_gpus, SCEN_INT, .min = 1, .max = 65536,
          .help = "GPUs of one instance"),
    FIELD("purchase", purchase_usd, SCEN_QUANTITY, .dimension = SCEN_MONEY_USD,
          .help = "price of a GPU with its share of node and network, in $"),
    FIELD("years", years, SCEN_NUMBER, .min = 0.1, .max = 100.0,
          .help = "over which the purchase is written off"),
    SCEN_GROUP("power", &power_table, .help = "of one GPU with its share of the node"),
    FIELD("pue", pue, SCEN_NUMBER, .min = 1.0, .max = 5.0,
          .help = "power of the building over that of the machines (default: 1)"),
    FIELD("energy", energy_usd_per_kwh, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_PRICE_USD_PER_KWH, .help = "in $ a kWh (default: 0)"),
};

const ScenTable scen_cost_table = {
    .what = "cost",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenCost),
    .catalog = SCEN_CATALOG_PRICE,
    .finish = finish,
};
