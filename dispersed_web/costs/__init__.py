"""Money: prices, budgets, the days and months that they count in. All of it pure."""
