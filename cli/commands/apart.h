// Work in a copy of this process that can be ended at any moment: whatever it is doing, a signal that asks this process
// to stop ends it within a fraction of a second. Its errors come back as they are.
#pragma once

#include <functional>
#include <string>

#include "cli/app/context.h"
#include "cli/app/json.h"
#include "pool/util/result.h"

namespace cultivar {

// Called in the copy: `progress` is shown here. The copy shares no memory with this process any more.
using ApartProgress = std::function<void(const std::string& phase, double fraction)>;
using ApartWork = std::function<Result<Json>(const ApartProgress& progress)>;

// Only while this process has one thread. Errors: interrupted (a signal came; the copy is gone), io (it could not be
// started or died), and those of `work`.
Result<Json> run_apart(Context& context, const ApartWork& work);

}  // namespace cultivar
