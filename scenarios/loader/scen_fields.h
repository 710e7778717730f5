/** The tables of a scenario: which keys it may have, what they mean, where they go. */
#ifndef SCEN_FIELDS_H
#define SCEN_FIELDS_H

#include "scen_bind.h"

extern const ScenTable scen_model_table;           /* fills a ModelSpec */
extern const ScenTable scen_gpu_table;             /* fills a TopoGpu */
extern const ScenTable scen_node_table;            /* fills a TopoNode */
extern const ScenTable scen_cluster_table;         /* fills a TopoCluster */
extern const ScenTable scen_protocol_table;        /* fills a TopoProtocolFits */
extern const ScenTable scen_engine_table;          /* fills a TopoEngineFit */
extern const ScenTable scen_profile_table;         /* fills a KernProfile */
extern const ScenTable scen_fitted_on_table;       /* fills a KernFittedOn */
extern const ScenTable scen_host_table;            /* fills a KernHostFit */
extern const ScenTable scen_fabric_table;          /* fills a ScenFabric */
extern const ScenTable scen_placement_table;       /* fills a ScenPlacement */
extern const ScenTable scen_job_table;             /* fills a ScenJob */
extern const ScenTable scen_degraded_table;        /* fills a ScenDegraded */
extern const ScenTable scen_plan_table;            /* fills a StratPlan */
extern const ScenTable scen_data_parallel_table;   /* fills a StratDataParallel */
extern const ScenTable scen_quantise_table;        /* fills a StratQuantise */
extern const ScenTable scen_errors_table;          /* fills a StratErrors */
extern const ScenTable scen_serving_engine_table;  /* fills a ScenServingEngine */
extern const ScenTable scen_serving_table;         /* fills a ScenServing */
extern const ScenTable scen_tensor_table;          /* fills a StratPlan, so does */
extern const ScenTable scen_context_table;         /* this */
extern const ScenTable scen_moe_software_table;    /* fills a StratExpertSoftware */
extern const ScenTable scen_recompute_parts_table; /* fills a StratRecomputeParts */
extern const ScenTable scen_recompute_table;       /* fills a StratRecomputeLayers */
extern const ScenTable scen_footprint_table;       /* fills a StratFootprint */
extern const ScenTable scen_offload_table;         /* fills a StratStores */
extern const ScenTable scen_adapters_table;        /* fills a ModelAdapters */
extern const ScenTable scen_distill_table;         /* fills a StratDistill */
extern const ScenTable scen_sparsity_table;        /* fills a StratSparsity */
extern const ScenTable scen_expert_table;          /* fills a TopoExpertFit */
extern const ScenTable scen_expect_table;          /* fills a ScenExpect */
extern const ScenTable scen_figure_table;          /* fills a ScenFigure */
extern const ScenTable scen_cost_table;            /* fills a ScenCost */
extern const ScenTable scen_search_table;          /* fills a ScenSearch */
extern const ScenTable scen_faults_table;          /* fills a ScenFaults */
extern const ScenTable scen_failures_table;        /* fills a ScenServeFailures */
extern const ScenTable scen_storage_table;         /* fills a ScenStorage */
extern const ScenTable scen_campaign_table;        /* fills a ScenCampaign */
extern const ScenTable scen_detection_table;       /* fills a ScenCampaign */
extern const ScenTable scen_queue_table;           /* fills a ScenQueue */
extern const ScenTable scen_et_table;              /* fills a ScenEtSection */
extern const ScenTable scen_spread_table;          /* fills a StratSpread */
extern const ScenTable scen_training_run_table;    /* fills a StratTarget */
extern const ScenTable scen_sweep_table;           /* fills a ScenSweep */
extern const ScenTable scen_scenario_table;        /* fills a ScenScenario */

/** Names of ScenLoadFrom. */
extern const ScenName scen_load_link_names[];

/** Names of TopoDtype, in the order of its values. */
extern const ScenName scen_dtype_names[];

/** What scen_placement_bind() takes, in words. */
#define SCEN_PLACEMENT_EXPECTED "packed, spread, rail-aligned, or a map {kind: custom, gpus: [...]}"

/** Fills a ScenPlacement from a name or a map: the .bind of a custom field. */
bool scen_placement_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot);

/** The same for programs. */
extern const ScenForm scen_placement_forms[];

/** What scen_spread_bind() takes, in words. */
#define SCEN_SPREAD_EXPECTED "a time, or {distribution, mean, cv, slow_fraction, slow_mean}"

/** The same for programs. */
extern const ScenForm scen_spread_forms[];

/** Fills a StratSpread from a time or a map: the .bind of a custom field. */
bool scen_spread_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot);

/** Names of StratEvery, FIXED left out: that one is written as a time. */
extern const ScenName scen_every_names[];

/** Sets how often a StratCampaignCheckpoint is made, from such a name or a time: the .bind of a
 *  custom field. */
bool scen_every_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot);

/** The table of the rows of catalog @kind. */
const ScenTable *scen_catalog_table(ScenCatalogKind kind);

#endif
