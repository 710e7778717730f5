/** Published figures that a scenario restates. */
#ifndef SCEN_EXPECT_H
#define SCEN_EXPECT_H

#include "scen_figure.h"
#include "scen_metric.h"

typedef struct ScenExpect {
    double step_time_s;               /* of training; 0: none is expected */
    double peak_allocated_bytes;      /* of the fullest GPU, by torch's allocator; likewise */
    double peak_reserved_bytes;       /* what that allocator took of the device; likewise */
    GArray *figures;                  /* of ScenFigure: of failures; owned; NULL: none */
    double slowdown_fraction;         /* of a step with faults, over one without; likewise */
    double served[SCEN_METRIC_COUNT]; /* of serving, likewise */
    const char *timeseries;           /* table of scen_timeseries.h, NULL: none */
    const char *source;
    const char *definition; /* measured, converted, or inverted from FLOP/s, in words */
    const char *group;      /* rows of one group are summarised together by `orrery validate` */
} ScenExpect;

/** Is any figure of serving expected? */
bool scen_expect_serves(const ScenExpect *expect);

/** Expects nothing any more: frees what @expect owns. */
void scen_expect_clear(ScenExpect *expect);

#endif
