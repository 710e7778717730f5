/* Requests are plain data; a source is whoever makes them (arrival processes of strat_traffic.c,
 * traces that scenarios read). */
#include "strat_request.h"

void strat_source_free(StratSource *source)
{
    if (source)
        source->free(source);
}
