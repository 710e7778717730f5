/* Sizes of a deployment. */
#include "strat_deployment.h"

int64_t strat_pool_gpus(const StratPool *pool)
{
    return pool->tensor * pool->pipeline * pool->data;
}
