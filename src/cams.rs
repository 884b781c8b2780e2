//! CAMS AOD550, ozone and water vapour from NetCDF.
