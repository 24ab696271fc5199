// SPDX-License-Identifier: Apache-2.0

//! The public-key infrastructure: pallet indices 20 to 29.

use crate::{Dpki, Organisations, Runtime, Timestamp};

impl pallet_organisations::Config for Runtime {
	type Time = Timestamp;
	type WeightInfo = pallet_organisations::weights::SubstrateWeight<Runtime>;
}

impl pallet_dpki::Config for Runtime {
	type Organisations = Organisations;
	type Time = Timestamp;
	type WeightInfo = pallet_dpki::weights::SubstrateWeight<Runtime>;
}

impl pallet_deliveries::Config for Runtime {
	type Organisations = Organisations;
	type Registry = Dpki;
	type Time = Timestamp;
	type WeightInfo = pallet_deliveries::weights::SubstrateWeight<Runtime>;
}
