/** Running and waiting requests and the fill of the cache over time, beside what was measured. */
#ifndef SCEN_SERVE_CURVES_H
#define SCEN_SERVE_CURVES_H

#include "strat_serve.h"

/** One curve of a StratServeSample. */
typedef struct ScenCurve {
    const char *name;
    double scale; /* to the unit of the drawing */
    const char *unit;
    size_t offset;
} ScenCurve;

enum { SCEN_CURVES = 3 };

/** Running, waiting, KV cache. */
const ScenCurve *scen_serve_curve(size_t index);

/** Mean over the instants of @measured of |predicted - measured|, in the unit of @curve; the
 *  predicted value is that of the last sample until then. @most receives the largest measured
 *  value. 0 when either is empty. */
double scen_serve_curve_gap(const ScenCurve *curve, const GArray *predicted, const GArray *measured,
                            double *most);

/** A drawing (SVG 1.1) of all curves of @predicted, with those of @measured (NULL: none) under
 *  them. The caller owns it. */
char *scen_serve_curves_svg(const GArray *predicted, const GArray *measured);

#endif
