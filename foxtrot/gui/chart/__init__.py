"""What the chart is made of: bars as arrays, what is computed of them, and the items that paint them."""
