/* The table of what a plan keeps outside the GPU, as strategies/train/strat_stores.c moves it. */
#include "scen_fields.h"
#include "strat_stores.h"

static const ScenName stores[] = {
    {"device", STRAT_STORE_DEVICE},
    {"host",   STRAT_STORE_HOST  },
    {"disk",   STRAT_STORE_DISK  },
    {NULL,     0                 },
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, StratStores, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("activations", activations, SCEN_NUMBER, .max = 1.0,
          .help = "share of what each layer keeps that goes to host memory (default: 0)"),
    FIELD("activation_layers", activation_layers, SCEN_INT, .max = 1e6,
          .help = "or so many of the model's layers, spread evenly"),
    FIELD("optimizer", optimizer, SCEN_ENUM, .names = stores, .fallback = "device",
          .help = "where fp32 weights and moments are; the host's CPU updates them there"),
    FIELD("parameters", parameters, SCEN_ENUM, .names = stores, .fallback = "device",
          .help = "where the weights wait between their uses (zero_stage 3)"),
    FIELD("tiles", tiles, SCEN_INT, .min = 1, .max = 1024, .fallback = "1",
          .help = "parts in which zero_stage 3 gathers a layer's weights, one after the other"),
    FIELD("delayed_update", delayed_update, SCEN_BOOL, .fallback = "false",
          .help = "the host updates with the gradients of the step before, beside this one"),
};

const ScenTable scen_offload_table = {
    .what = "offload",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratStores),
};
