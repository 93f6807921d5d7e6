#include "cli/app/context.h"

namespace cultivar {

bool Context::interrupted() const { return signal->load() != 0; }

}  // namespace cultivar
