// One thing that tells energy: a counter of joules, or a reading of watts that is taken again and again.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace cultivar {

class EnergySource {
public:
    // `key` names this very thing on this machine ("rapl:package-0", "nvml:GPU-..."), for its idle power and for
    // runs that share it. Domain, method and error are as in pool/types/energy.h.
    EnergySource(std::string key, std::string domain, std::string method, double error)
        : key_(std::move(key)), domain_(std::move(domain)), method_(std::move(method)), error_(error) {}
    EnergySource(const EnergySource&) = delete;
    EnergySource& operator=(const EnergySource&) = delete;
    virtual ~EnergySource() = default;

    virtual void begin() = 0;
    // The joules since begin() or the call before, `seconds` ago. None: they cannot be told; trouble() says why, and
    // nothing of that time is in a later answer.
    virtual std::optional<double> take(double seconds) = 0;

    const std::string& key() const { return key_; }
    const std::string& domain() const { return domain_; }
    const std::string& method() const { return method_; }
    double error() const { return error_; }
    const std::string& trouble() const { return trouble_; }  // "": it is silent for no fault, as a battery on mains

protected:
    void fail(std::string why) { trouble_ = std::move(why); }
    void go_well() { trouble_.clear(); }

private:
    std::string key_, domain_, method_;
    double error_;
    std::string trouble_;
};

}  // namespace cultivar
